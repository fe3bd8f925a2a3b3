#include "mesh/proxy/peer_link.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace swarm::mesh {

namespace {

constexpr size_t kInputSize = 2 * kMaxFrameSize;

Status unavailable(const ErrorCode& error) {
  return absl::UnavailableError(absl::StrCat("the link to another mesh failed: ", error.message()));
}

}  // namespace

PeerLink::PeerLink(Tcp::socket socket, std::shared_ptr<TlsIdentity> identity)
    : identity_(std::move(identity)), stream_(std::move(socket), identity_->context()) {}

void PeerLink::connect(const Tcp::endpoint& address, const model::NodeId& node, Done done) {
  peer_ = node;
  identity_->resume(stream_.native_handle(), peer_);
  stream_.next_layer().async_connect(
      address, [self = shared_from_this(), done = std::move(done)](ErrorCode error) mutable {
        if (error) {
          done(unavailable(error));
          return;
        }
        platform::tune_socket(self->stream_.next_layer(), kBackendSilence);
        self->handshake(boost::asio::ssl::stream_base::client, std::move(done));
      });
}

void PeerLink::accept(Done done) {
  // As for a client: what it does not take may wait for its own client.
  platform::tune_socket(stream_.next_layer(), kClientSilence);
  handshake(boost::asio::ssl::stream_base::server, std::move(done));
}

void PeerLink::handshake(boost::asio::ssl::stream_base::handshake_type side, Done done) {
  stream_.async_handshake(
      side, [self = shared_from_this(), done = std::move(done)](ErrorCode error) mutable {
        if (error) {
          done(unavailable(error));
          return;
        }
        self->input_.resize(kInputSize);
        Result<model::NodeId> peer =
            self->identity_->check_peer(self->stream_.native_handle(), self->peer_);
        if (!peer.ok()) {
          done(peer.status());
          return;
        }
        self->peer_ = *std::move(peer);
        done(absl::OkStatus());
      });
}

void PeerLink::read_frame(FrameDone done) {
  if (const auto waiting = waiting_.lock()) {
    *waiting = std::move(done);
    return;
  }
  const auto waiting = std::make_shared<FrameDone>(std::move(done));
  waiting_ = waiting;
  // Never from within the call: the caller has not finished with the frame before.
  boost::asio::post(stream_.get_executor(),
                    [self = shared_from_this(), waiting] { self->deliver(waiting); });
}

// Hands out the frames that are there as long as somebody asks, then reads on.
void PeerLink::deliver(std::shared_ptr<FrameDone> waiting) {
  while (*waiting != nullptr && !is_closed_) {
    const std::string_view bytes(input_.data() + input_begin_, input_end_ - input_begin_);
    const auto frame = parse_frame(bytes);
    if (!frame.ok()) {
      fail_read(*waiting, boost::asio::error::invalid_argument);
      return;
    }
    if (!frame->has_value()) break;
    input_begin_ += (*frame)->size();
    FrameDone done = std::exchange(*waiting, nullptr);
    done({}, **frame);
  }
  if (is_closed_) {
    fail_read(*waiting, boost::asio::error::operation_aborted);
  } else if (*waiting != nullptr) {
    fill(std::move(waiting));
  }
}

void PeerLink::fill(std::shared_ptr<FrameDone> waiting) {
  std::copy(input_.begin() + static_cast<ptrdiff_t>(input_begin_),
            input_.begin() + static_cast<ptrdiff_t>(input_end_), input_.begin());
  input_end_ -= input_begin_;
  input_begin_ = 0;
  stream_.async_read_some(
      boost::asio::buffer(input_.data() + input_end_, input_.size() - input_end_),
      [self = shared_from_this(), waiting = std::move(waiting)](ErrorCode error, size_t size) {
        self->input_end_ += size;
        if (error) {
          self->fail_read(*waiting, error);
        } else {
          self->deliver(waiting);
        }
      });
}

// The end of the connection without a last word is an error for every stream.
void PeerLink::fail_read(FrameDone& waiting, ErrorCode error) {
  close();
  // Who asks again is told again, later.
  waiting_.reset();
  if (FrameDone done = std::exchange(waiting, nullptr)) {
    done(error == boost::asio::error::eof ? boost::asio::error::connection_reset : error, {});
  }
}

void PeerLink::send(FrameType type, std::string_view payload) {
  if (is_closed_) return;
  const std::shared_ptr<Output> output = begin_output();
  append_frame(output->bytes, type, payload);
  if (next_.expired()) write(output);
}

void PeerLink::send_data(std::string_view bytes, TcpEnd::WriteDone done) {
  if (is_closed_) {
    done(boost::asio::error::operation_aborted);
    return;
  }
  const std::shared_ptr<Output> output = begin_output();
  while (!bytes.empty()) {
    append_frame(output->bytes, FrameType::data, bytes.substr(0, kMaxFramePayload));
    bytes.remove_prefix(std::min(kMaxFramePayload, bytes.size()));
  }
  output->done.push_back(std::move(done));
  if (next_.expired()) write(output);
}

std::shared_ptr<PeerLink::Output> PeerLink::begin_output() {
  auto next = next_.lock();
  return next != nullptr ? next : std::make_shared<Output>();
}

void PeerLink::write(std::shared_ptr<Output> output) {
  const auto next = std::make_shared<Output>();
  next_ = next;
  const auto buffer = boost::asio::buffer(output->bytes);
  boost::asio::async_write(
      stream_, buffer,
      [self = shared_from_this(), output = std::move(output), next](ErrorCode error, size_t) {
        for (TcpEnd::WriteDone& done : output->done) {
          done(error);
        }
        self->next_.reset();
        if (error) {
          for (TcpEnd::WriteDone& done : next->done) {
            done(error);
          }
        } else if (!next->bytes.empty() && !self->is_closed_) {
          self->write(next);
        }
      });
}

void PeerLink::close() {
  if (is_closed_) return;
  is_closed_ = true;
  ErrorCode ignored;
  stream_.next_layer().close(ignored);
}

}  // namespace swarm::mesh
