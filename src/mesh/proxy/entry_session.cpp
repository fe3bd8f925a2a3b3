#include "mesh/proxy/entry_session.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

#include "mesh/http_tracker.h"

namespace swarm::mesh {

namespace {

constexpr std::string_view kUnavailable =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    "Content-Length: 38\r\n\r\nno task of this service is running now";

// Requests without a body are hardly ever longer.
constexpr size_t kMaxKept = 16 * 1024;
// A request that kills whoever is asked must not go through all tasks.
constexpr int kMaxRepeats = 2;

bool looks_like_http(std::string_view bytes) {
  HttpTracker probe;
  for (size_t taken = 0; taken < bytes.size();) {
    taken += probe.feed_request(bytes.substr(taken));
  }
  return !bytes.empty() && !probe.is_opaque();
}

}  // namespace

EntrySession::EntrySession(std::shared_ptr<MeshNode> node, RouteKey key, Tcp::socket client)
    : node_(std::move(node)),
      key_(std::move(key)),
      client_(std::move(client), node_->scratch),
      hold_id_(node_->new_hold()),
      timer_(node_->context) {}

EntrySession::~EntrySession() {
  node_->release(hold_id_);
}

// ---- a task ----

void EntrySession::seek() {
  state_ = State::seeking;
  timer_.cancel();
  const Choice choice = node_->routing.choose(key_, node_->now());
  switch (choice.kind) {
    case Choice::Kind::gone:
      refuse();
      return;
    case Choice::Kind::wait:
      wait_for_endpoint(choice.retry_at);
      return;
    case Choice::Kind::route:
      open(choice.route);
      return;
  }
}

void EntrySession::wait_for_endpoint(TimePoint retry_at) {
  const TimePoint now = node_->now();
  if (!hold_until_.has_value()) hold_until_ = now + node_->timeouts.hold;
  const auto try_again = [self = shared_from_this()] {
    if (self->state_ == State::seeking && self->task_ == nullptr) self->seek();
  };
  if (now >= *hold_until_ || !node_->hold(hold_id_, try_again)) {
    refuse();
    return;
  }
  timer_.expires_after(std::min(retry_at, *hold_until_) - now);
  timer_.async_wait([try_again](ErrorCode error) {
    if (!error) try_again();
  });
}

void EntrySession::open(const Route& route) {
  node_->release(hold_id_);
  ++generation_;
  is_draining_ = is_task_ended_ = is_task_broken_ = false;
  task_id_ = route.task;
  task_ =
      make_upstream(node_, route, key_.target, [weak = weak_from_this(), generation = generation_] {
        const auto self = weak.lock();
        if (self != nullptr && self->generation_ == generation) self->on_drain();
      });
  task_->open([self = shared_from_this(), generation = generation_](Status status) {
    if (self->generation_ != generation) return;
    if (status.ok()) {
      self->on_open();
      return;
    }
    self->node_->routing.avoid(self->task_id_, self->node_->now());
    self->leave_task(Upstream::Leave::reset);
    self->seek();
  });
}

void EntrySession::on_open() {
  node_->routing.trust(task_id_);
  state_ = State::relaying;
  hold_until_.reset();
  if (move_if_possible()) return;
  read_task();
  forward(std::exchange(unsent_, {}));
}

// The task is of the past: nothing it still says concerns this client.
void EntrySession::leave_task(Upstream::Leave how) {
  ++generation_;
  is_writing_task_ = false;
  if (task_ != nullptr) std::exchange(task_, nullptr)->leave(how);
}

void EntrySession::refuse() {
  node_->release(hold_id_);
  if (looks_like_http(unsent_.empty() ? client_.peek() : unsent_)) {
    is_writing_client_ = true;
    client_.write(kUnavailable, [self = shared_from_this()](ErrorCode) {
      self->is_writing_client_ = false;
      self->close_after_answer();
    });
  } else {
    client_.reset();
    finish(Upstream::Leave::reset);
  }
}

// ---- client to task ----

void EntrySession::read_client() {
  if (is_reading_client_ || is_client_ended_) return;
  is_reading_client_ = true;
  client_.read([self = shared_from_this()](ErrorCode error, std::string_view bytes) {
    self->is_reading_client_ = false;
    if (self->state_ == State::closed) return;
    if (!error) {
      self->on_client_bytes(bytes);
    } else if (error == boost::asio::error::eof) {
      self->on_client_end();
    } else {
      self->finish(Upstream::Leave::reset);
    }
  });
}

void EntrySession::on_client_bytes(std::string_view bytes) {
  switch (state_) {
    case State::relaying:
      forward(bytes);
      return;
    case State::parked:
      unsent_.append(bytes);
      seek();
      return;
    case State::seeking:  // was asked for before the task left
      unsent_.append(bytes);
      return;
    case State::closing:
      read_client();
      return;
    case State::closed:
      return;
  }
}

void EntrySession::on_client_end() {
  is_client_ended_ = true;
  const bool has_nothing_to_ask = state_ == State::parked || state_ == State::closing ||
                                  (state_ == State::seeking && unsent_.empty());
  const bool is_answered = state_ == State::relaying && tracker_.is_idle() &&
                           !tracker_.is_untouched() && !is_writing_client_;
  if (has_nothing_to_ask || is_answered || is_task_ended_) {
    finish(Upstream::Leave::clean);
  } else if (state_ == State::relaying) {
    task_->shutdown_send();
  }
}

// Sends what belongs to this task; what does not waits for the next one in `unsent_`.
void EntrySession::forward(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && !(is_draining_ && tracker_.is_between_requests())) {
    if (tracker_.is_idle()) {
      kept_.clear();
      is_kept_ = true;
    } else if (tracker_.is_between_requests()) {
      is_kept_ = false;  // one more, sent ahead
    }
    const size_t part = tracker_.feed_request(bytes.substr(taken));
    keep(bytes.substr(taken, part));
    taken += part;
  }
  unsent_.assign(bytes.substr(taken));
  if (taken == 0) {
    after_forward();
    return;
  }
  is_writing_task_ = true;
  task_->write(bytes.substr(0, taken),
               [self = shared_from_this(), generation = generation_](ErrorCode error) {
                 if (self->generation_ != generation) return;
                 self->is_writing_task_ = false;
                 if (error) {
                   self->on_task_broken();
                 } else {
                   self->after_forward();
                 }
               });
}

void EntrySession::after_forward() {
  if (move_if_possible() || !unsent_.empty()) return;
  if (is_client_ended_) {
    task_->shutdown_send();
  } else {
    read_client();
  }
}

// ---- a request that may be asked again ----

void EntrySession::keep(std::string_view bytes) {
  is_kept_ = is_kept_ && !tracker_.is_opaque() && kept_.size() + bytes.size() <= kMaxKept;
  if (is_kept_) {
    kept_.append(bytes);
  } else {
    std::string().swap(kept_);
  }
}

// The task has died. True: another one is asked.
bool EntrySession::repeat_elsewhere() {
  if (!is_kept_ || !tracker_.may_repeat() || repeats_ >= kMaxRepeats) return false;
  ++repeats_;
  node_->routing.avoid(task_id_, node_->now());
  leave_task(Upstream::Leave::reset);
  tracker_.rewind();
  unsent_.insert(0, std::exchange(kept_, {}));
  seek();
  return true;
}

// ---- task to client ----

void EntrySession::read_task() {
  task_->read([self = shared_from_this(), generation = generation_](ErrorCode error,
                                                                    std::string_view bytes) {
    if (self->generation_ != generation) return;
    if (!error) {
      self->on_task_bytes(bytes);
    } else if (error == boost::asio::error::eof) {
      self->on_task_end();
    } else {
      self->on_task_broken();
    }
  });
}

void EntrySession::on_task_bytes(std::string_view bytes) {
  tracker_.feed_response(bytes);
  std::string().swap(kept_);
  is_kept_ = false;
  repeats_ = 0;
  is_writing_client_ = true;
  client_.write(bytes, [self = shared_from_this()](ErrorCode error) {
    self->is_writing_client_ = false;
    if (self->state_ != State::relaying) return;
    if (error) {
      self->finish(Upstream::Leave::reset);
    } else if (self->is_task_broken_) {
      self->on_task_broken();
    } else if (!self->move_if_possible()) {
      self->read_task();
    }
  });
}

void EntrySession::on_task_end() {
  is_task_ended_ = true;
  if (repeat_elsewhere()) return;
  if (can_move() && tracker_.keeps_open() && !tracker_.is_untouched()) {
    // Between two requests a client need not know; its next one goes to whoever is there.
    park();
  } else if (tracker_.is_opaque() || tracker_.is_untouched()) {
    client_.shutdown_send();
    if (is_client_ended_) finish(Upstream::Leave::clean);
  } else {
    leave_task(Upstream::Leave::clean);
    close_after_answer();
  }
}

void EntrySession::on_task_broken() {
  is_task_broken_ = true;
  if (is_writing_client_) return;  // comes back when that is done
  if (repeat_elsewhere()) return;
  if (tracker_.is_untouched()) {
    node_->routing.avoid(task_id_, node_->now());
    leave_task(Upstream::Leave::reset);
    seek();
  } else if (tracker_.is_idle() && tracker_.keeps_open()) {
    park();
  } else {
    client_.reset();
    finish(Upstream::Leave::reset);
  }
}

// ---- leaving a task, and the end ----

void EntrySession::on_drain() {
  is_draining_ = true;
  if (state_ == State::relaying) move_if_possible();
}

bool EntrySession::can_move() const {
  return tracker_.is_idle() && !is_writing_task_ && !is_writing_client_;
}

// True: this task has been left.
bool EntrySession::move_if_possible() {
  if (!is_draining_) return false;
  if (is_kept_ && tracker_.has_partial_head() && !is_writing_task_ && !is_writing_client_) {
    // A client that is slow to ask, or never gets to it, keeps no task from its end.
    tracker_.rewind();
    unsent_.insert(0, std::exchange(kept_, {}));
    leave_task(Upstream::Leave::clean);
    wait_for_client();
    return true;
  }
  if (!can_move()) return false;
  if (tracker_.is_untouched()) {
    // The client may be waiting to be greeted: the next task must be there without being asked.
    leave_task(Upstream::Leave::clean);
    seek();
  } else {
    park();
  }
  return true;
}

void EntrySession::park() {
  leave_task(Upstream::Leave::clean);
  if (is_client_ended_) {
    finish(Upstream::Leave::clean);
  } else if (!tracker_.keeps_open()) {
    close_after_answer();
  } else if (!unsent_.empty()) {
    seek();
  } else {
    wait_for_client();
  }
}

// For the next bytes of its next request.
void EntrySession::wait_for_client() {
  if (is_client_ended_) {
    finish(Upstream::Leave::clean);
    return;
  }
  state_ = State::parked;
  timer_.expires_after(node_->timeouts.parked);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error && self->state_ == State::parked) self->finish(Upstream::Leave::clean);
  });
  read_client();
}

// The client has all it will get. Its own end is awaited, because closing while its bytes arrive
// would destroy the answer on its way.
void EntrySession::close_after_answer() {
  state_ = State::closing;
  client_.shutdown_send();
  if (is_client_ended_) {
    finish(Upstream::Leave::clean);
    return;
  }
  timer_.expires_after(node_->timeouts.linger);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->finish(Upstream::Leave::clean);
  });
  read_client();
}

void EntrySession::finish(Upstream::Leave how) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  node_->release(hold_id_);
  leave_task(how);
  timer_.cancel();
  client_.close();
}

}  // namespace swarm::mesh
