#include "mesh/proxy/peer_upstream.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mesh/proxy/endpoint_text.h"
#include "mesh/proxy/local_upstream.h"

namespace swarm::mesh {

std::shared_ptr<Upstream> make_upstream(const std::shared_ptr<MeshNode>& node, const Route& route,
                                        uint16_t target, Callback on_drain) {
  if (route.is_local) {
    return std::make_shared<LocalUpstream>(node, route.task, route.address, std::move(on_drain));
  }
  return std::make_shared<PeerUpstream>(node, route, target, std::move(on_drain));
}

PeerUpstream::PeerUpstream(std::shared_ptr<MeshNode> node, Route route, uint16_t target,
                           Callback on_drain)
    : node_(std::move(node)),
      route_(std::move(route)),
      target_(target),
      on_drain_(std::make_shared<Callback>(std::move(on_drain))),
      timer_(node_->context) {
  // Whether the task drains is for its owner to say; here it is only counted.
  lease_.emplace(node_->leases, route_.task, [] {});
}

void PeerUpstream::open(OpenDone done) {
  timer_.expires_after(node_->timeouts.connect_remote);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (error || self->is_open_ || self->link_ == nullptr) return;
    self->is_late_ = true;
    self->link_->close();
  });
  link_ = node_->pool.take({route_.address, route_.node});
  if (link_ != nullptr) {
    open_pooled(std::move(done));
  } else {
    open_fresh(std::move(done));
  }
}

// The owner may have given up an idle link a moment ago. That is no answer to our question.
void PeerUpstream::open_pooled(OpenDone done) {
  ask([self = shared_from_this(), done = std::move(done)](Status status) mutable {
    const bool is_stale = absl::IsUnavailable(status) && self->link_->is_closed();
    if (is_stale && !self->is_left_ && !self->is_late_) {
      self->open_fresh(std::move(done));
    } else {
      done(std::move(status));
    }
  });
}

void PeerUpstream::open_fresh(OpenDone done) {
  const auto address = parse_endpoint(route_.address);
  if (!address.ok() || node_->identity == nullptr) {
    Status status =
        address.ok() ? absl::UnavailableError("the mesh has no certificate yet") : address.status();
    boost::asio::post(node_->context,
                      [status = std::move(status), done = std::move(done)]() mutable {
                        done(std::move(status));
                      });
    return;
  }
  link_ = std::make_shared<PeerLink>(Tcp::socket(node_->context), node_->identity);
  link_->connect(*address, route_.node,
                 [self = shared_from_this(), done = std::move(done)](Status status) mutable {
                   if (status.ok()) {
                     self->ask(std::move(done));
                   } else {
                     self->link_->close();
                     done(std::move(status));
                   }
                 });
}

void PeerUpstream::ask(OpenDone done) {
  link_->send(FrameType::open, encode_open({route_.task, target_}));
  link_->read_frame([self = shared_from_this(), done = std::move(done)](
                        ErrorCode error, const Frame& frame) mutable {
    if (error) {
      self->link_->close();
      done(absl::UnavailableError(absl::StrCat("the link ended: ", error.message())));
    } else {
      self->on_answer(frame, std::move(done));
    }
  });
}

void PeerUpstream::on_answer(const Frame& frame, OpenDone done) {
  timer_.cancel();
  if (frame.type == FrameType::accepted) {
    is_open_ = true;
    if (is_left_) {
      leave(Leave::clean);
    } else {
      done(absl::OkStatus());
    }
    return;
  }
  if (frame.type == FrameType::declined) {
    const std::string reason(frame.payload);
    node_->pool.give({route_.address, route_.node}, std::move(link_));
    done(absl::FailedPreconditionError(absl::StrCat("the owner declined: ", reason)));
    return;
  }
  link_->close();
  done(absl::InternalError("the owner gave no answer to an open"));
}

void PeerUpstream::read(TcpEnd::ReadDone done) {
  link_->read_frame([self = shared_from_this(), done = std::move(done)](
                        ErrorCode error, const Frame& frame) mutable {
    self->heard_last_word_ =
        self->heard_last_word_ || frame.type == FrameType::end || frame.type == FrameType::abort;
    if (error) {
      self->link_->close();
    }
    if (self->is_left_) {
      self->drop_until_last_word();
    } else if (error) {
      done(error, {});
    } else if (frame.type == FrameType::data) {
      done({}, frame.payload);
    } else if (frame.type == FrameType::drain) {
      self->read(std::move(done));
      (*self->on_drain_)();
    } else if (frame.type == FrameType::end) {
      done(boost::asio::error::eof, {});
    } else {
      if (frame.type != FrameType::abort) self->link_->close();
      done(boost::asio::error::connection_reset, {});
    }
  });
}

void PeerUpstream::write(std::string_view bytes, TcpEnd::WriteDone done) {
  link_->send_data(bytes, [self = shared_from_this(),
                           done = std::move(done)](ErrorCode error) mutable { done(error); });
}

void PeerUpstream::shutdown_send() {
  said_end_ = true;
  link_->send(FrameType::end);
}

void PeerUpstream::leave(Leave how) {
  is_left_ = true;
  lease_.reset();
  timer_.cancel();
  if (link_ == nullptr) return;
  if (!is_open_) {
    // Half-way: not worth the wait.
    link_->close();
    return;
  }
  if (said_end_ && heard_last_word_) {
    finish();
    return;
  }
  link_->send(FrameType::close, how == Leave::clean ? "" : "reset");
  timer_.expires_after(node_->timeouts.linger);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error && self->link_ != nullptr) self->link_->close();
  });
  drop_until_last_word();
}

// Whatever the owner had under way ends with one last word; then the link is free.
void PeerUpstream::drop_until_last_word() {
  if (link_ == nullptr) return;
  if (heard_last_word_ || link_->is_closed()) {
    finish();
    return;
  }
  link_->read_frame([self = shared_from_this()](ErrorCode error, const Frame& frame) {
    self->heard_last_word_ = frame.type == FrameType::end || frame.type == FrameType::abort;
    if (error) self->link_->close();
    self->drop_until_last_word();
  });
}

void PeerUpstream::finish() {
  timer_.cancel();
  node_->pool.give({route_.address, route_.node}, std::exchange(link_, nullptr));
}

}  // namespace swarm::mesh
