#include "mesh/proxy/owner_session.h"

#include <boost/asio/error.hpp>
#include <utility>

#include "base/log.h"
#include "mesh/proxy/endpoint_text.h"

namespace swarm::mesh {

OwnerSession::OwnerSession(std::shared_ptr<MeshNode> node, Tcp::socket socket,
                           platform::Arrivals::Place place)
    : node_(std::move(node)),
      link_(std::make_shared<PeerLink>(std::move(socket), node_->identity)),
      place_(std::move(place)),
      timer_(node_->context) {}

void OwnerSession::close_if_idle() {
  if (task_ == nullptr) close();
}

void OwnerSession::start() {
  node_->add_link(weak_from_this());
  timer_.expires_after(node_->timeouts.connect_remote);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->link_->close();
  });
  link_->accept([self = shared_from_this()](Status status) {
    self->timer_.cancel();
    self->place_.free();
    if (status.ok()) {
      self->read_link();
      return;
    }
    if (absl::IsPermissionDenied(status)) {
      log::warning("refused a link from another mesh", {{"reason", status.message()}});
    }
    self->close();
  });
}

void OwnerSession::read_link() {
  if (node_->has_let_links_go() && task_ == nullptr) {
    close();
    return;
  }
  link_->read_frame([self = shared_from_this()](ErrorCode error, const Frame& frame) {
    if (error) {
      self->close();
    } else {
      self->on_frame(frame);
    }
  });
}

void OwnerSession::on_frame(const Frame& frame) {
  // Asked each time, so that removal ends what is under way, too.
  if (node_->routing.is_removed(link_->peer())) {
    log::warning("refused a node that was removed from the swarm",
                 {{"node", link_->peer().value()}});
    close();
    return;
  }
  const bool is_idle = task_ == nullptr;
  switch (frame.type) {
    case FrameType::open:
      if (is_idle) {
        open(frame.payload);
      } else {
        close();
      }
      return;
    case FrameType::data:
      if (is_idle || heard_last_word_) {
        close();
      } else {
        on_entry_data(frame.payload);
      }
      return;
    case FrameType::end:
      if (is_idle || heard_last_word_) {
        close();
        return;
      }
      task_->shutdown_send();
      heard_last_word_ = true;
      end_stream_if_over();
      read_link();
      return;
    case FrameType::close:
      // Of no stream: it crossed our own last word.
      if (!is_idle) on_entry_last_word(!frame.payload.empty());
      read_link();
      return;
    case FrameType::accepted:
    case FrameType::declined:
    case FrameType::drain:
    case FrameType::abort:
      close();
      return;
  }
}

void OwnerSession::open(std::string_view payload) {
  const auto request = decode_open(payload);
  if (!request.ok()) {
    close();
    return;
  }
  const auto text = node_->routing.address_of(request->task, request->target, node_->now());
  if (!text.ok()) {
    decline(std::string(text.status().message()));
    return;
  }
  const auto address = parse_endpoint(*text);
  if (!address.ok()) {
    decline(std::string(address.status().message()));
    return;
  }
  ++stream_;
  is_relaying_ = is_draining_ = said_last_word_ = heard_last_word_ = false;
  task_ = std::make_shared<TcpEnd>(Tcp::socket(node_->context), node_->scratch);
  lease_.emplace(node_->leases, request->task, [weak = weak_from_this(), stream = stream_] {
    const auto self = weak.lock();
    if (self != nullptr && self->stream_ == stream) self->on_drain();
  });
  timer_.expires_after(node_->timeouts.connect_local);
  timer_.async_wait([task = task_](ErrorCode error) {
    if (!error) task->close();
  });
  task_->connect(*address, [self = shared_from_this(), task = task_](ErrorCode error) {
    self->on_connected(error);
  });
}

void OwnerSession::on_connected(ErrorCode error) {
  timer_.cancel();
  if (error) {
    end_stream(true);
    decline("the task does not answer");
    return;
  }
  is_relaying_ = true;
  link_->send(FrameType::accepted);
  if (is_draining_) link_->send(FrameType::drain);
  read_task();
  read_link();
}

void OwnerSession::decline(std::string_view reason) {
  link_->send(FrameType::declined, reason);
  read_link();
}

void OwnerSession::on_entry_data(std::string_view bytes) {
  task_->write(bytes, [self = shared_from_this(), task = task_, stream = stream_](ErrorCode error) {
    // A task that takes nothing any more may still be answering: its own side tells how it ended.
    // The link is read on in any case, for the entry's last word.
    if (error && self->stream_ == stream && self->task_ == task) task->shutdown_send();
    self->read_link();
  });
}

void OwnerSession::on_entry_last_word(bool is_reset) {
  heard_last_word_ = true;
  if (!said_last_word_) {
    said_last_word_ = true;
    link_->send(FrameType::end);
  }
  end_stream(is_reset);
}

void OwnerSession::read_task() {
  task_->read([self = shared_from_this(), task = task_, stream = stream_](ErrorCode error,
                                                                          std::string_view bytes) {
    if (self->stream_ != stream || self->task_ == nullptr) return;
    if (error == boost::asio::error::eof) {
      self->say_last_word(FrameType::end);
    } else if (error) {
      self->say_last_word(FrameType::abort);
    } else {
      self->link_->send_data(bytes, [self, stream](ErrorCode failed) {
        if (!failed && self->stream_ == stream && self->task_ != nullptr) self->read_task();
      });
    }
  });
}

void OwnerSession::say_last_word(FrameType word) {
  said_last_word_ = true;
  link_->send(word);
  end_stream_if_over();
}

void OwnerSession::end_stream_if_over() {
  if (said_last_word_ && heard_last_word_) end_stream(false);
}

void OwnerSession::end_stream(bool is_reset) {
  if (task_ == nullptr) return;
  ++stream_;
  if (is_reset) {
    task_->reset();
  } else {
    task_->close();
  }
  task_ = nullptr;
  lease_.reset();
}

void OwnerSession::on_drain() {
  is_draining_ = true;
  if (is_relaying_ && !said_last_word_) link_->send(FrameType::drain);
}

void OwnerSession::close() {
  timer_.cancel();
  link_->close();
  end_stream(true);
}

}  // namespace swarm::mesh
