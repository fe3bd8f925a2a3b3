#include "api/peers/peer_connection.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "api/client/limits.h"
#include "platform/tcp_address.h"
#include "security/tls/mutual_tls.h"

namespace swarm::api {

namespace {

namespace asio = boost::asio;

// A peer whose machine is gone is noticed after two to four seconds, as gRPC's pings would.
constexpr platform::SilenceLimits kPeerSilence{.keep_idle_seconds = kKeepaliveMs / 1000,
                                               .keep_interval_seconds = 1,
                                               .keep_count = kKeepaliveMs / 1000,
                                               .unacknowledged_milliseconds = 2 * kKeepaliveMs};

// A buffer that grew beyond this for once is given back.
constexpr size_t kKeptBytes = 256 * 1024;

}  // namespace

PeerConnection::PeerConnection(Tcp::socket socket, asio::ssl::context& context, Preface preface)
    : resolver_(socket.get_executor()),
      deadline_(socket.get_executor()),
      stream_(std::move(socket), context),
      says_first_(preface) {}

void PeerConnection::connect(const platform::TcpAddress& address) {
  begin_deadline();
  ErrorCode is_name;
  const auto ip = asio::ip::make_address(address.host, is_name);
  if (!is_name) {
    stream_.next_layer().async_connect(
        Tcp::endpoint(ip, static_cast<uint16_t>(std::stoul(address.port))),
        [self = shared_from_this()](ErrorCode error) { self->connected(error); });
    return;
  }
  resolver_.async_resolve(
      address.host, address.port,
      [self = shared_from_this()](ErrorCode error, const Tcp::resolver::results_type& found) {
        if (error || self->is_closed_) {
          self->fail(error);
          return;
        }
        asio::async_connect(
            self->stream_.next_layer(), found,
            [self](ErrorCode failed, const Tcp::endpoint&) { self->connected(failed); });
      });
}

void PeerConnection::connected(ErrorCode error) {
  if (error) {
    fail(error);
    return;
  }
  platform::tune_socket(stream_.next_layer(), kPeerSilence);
  if (says_first_ == Preface::none) {
    handshake(asio::ssl::stream_base::client, error);
    return;
  }
  asio::async_write(stream_.next_layer(), asio::buffer(kPeerPreface),
                    [self = shared_from_this()](ErrorCode failed, size_t) {
                      self->handshake(asio::ssl::stream_base::client, failed);
                    });
}

void PeerConnection::accept() {
  begin_deadline();
  platform::tune_socket(stream_.next_layer(), kPeerSilence);
  asio::async_read(stream_.next_layer(), asio::buffer(preface_),
                   [self = shared_from_this()](ErrorCode error, size_t) {
                     if (!error && std::string_view(self->preface_.data(), self->preface_.size()) !=
                                       kPeerPreface) {
                       error = asio::error::no_protocol_option;
                     }
                     self->handshake(asio::ssl::stream_base::server, error);
                   });
}

void PeerConnection::begin_deadline() {
  deadline_.expires_after(std::chrono::milliseconds(kConnectTimeoutMs));
  deadline_.async_wait([weak = weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    if (!error && self != nullptr) {
      self->fail(asio::error::timed_out);
    }
  });
}

void PeerConnection::settle() {
  is_settled_ = true;
  deadline_.cancel();
}

void PeerConnection::handshake(asio::ssl::stream_base::handshake_type side, ErrorCode error) {
  if (error || is_closed_) {
    fail(error);
    return;
  }
  stream_.async_handshake(
      side, [self = shared_from_this()](ErrorCode failed) { self->check_peer(failed); });
}

void PeerConnection::check_peer(ErrorCode error) {
  if (error || is_closed_) {
    fail(error);
    return;
  }
  const Result<security::PeerIdentity> peer = security::identity_of_peer(stream_.native_handle());
  if (!peer.ok()) {
    fail(asio::error::access_denied);
    return;
  }
  secured(*peer);
  read();
}

void PeerConnection::read() {
  if (is_closed_) {
    return;
  }
  const std::span<char> room = reader_.room();
  stream_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](ErrorCode error, size_t bytes) {
                            if (error) {
                              self->fail(error);
                            } else {
                              self->take(bytes);
                            }
                          });
}

void PeerConnection::take(size_t bytes) {
  reader_.filled(bytes);
  while (!is_closed_) {
    const Result<std::optional<std::string_view>> frame = reader_.next();
    if (!frame.ok()) {
      fail(asio::error::message_size);
    } else if (frame->has_value()) {
      received(**frame);
    } else {
      read();
      return;
    }
  }
}

void PeerConnection::send(std::string_view payload) {
  if (is_closed_ || is_last_) {
    return;
  }
  append_frame(waiting_, payload);
  if (!is_writing_) {
    write();
  }
}

void PeerConnection::send_and_close(std::string_view payload) {
  send(payload);
  is_last_ = true;
}

// What is sent while a write is under way goes out together with the next one.
void PeerConnection::write() {
  is_writing_ = true;
  writing_.swap(waiting_);
  asio::async_write(stream_, asio::buffer(writing_),
                    [self = shared_from_this()](ErrorCode error, size_t) { self->written(error); });
}

void PeerConnection::written(ErrorCode error) {
  is_writing_ = false;
  writing_.clear();
  if (writing_.capacity() > kKeptBytes) {
    writing_.shrink_to_fit();
  }
  if (error) {
    fail(error);
  } else if (is_closed_) {
    return;
  } else if (!waiting_.empty()) {
    write();
  } else if (is_last_) {
    close();
  }
}

void PeerConnection::fail(ErrorCode error) {
  if (!is_closed_) {
    close();
    ended(error);
  }
}

void PeerConnection::close() {
  is_closed_ = true;
  deadline_.cancel();
  resolver_.cancel();
  ErrorCode ignored;
  stream_.next_layer().close(ignored);
}

}  // namespace swarm::api
