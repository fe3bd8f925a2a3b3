#include "agent/manager_session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace swarm::agent {

ManagerSession::ManagerSession(EventLoop& loop, DispatcherClient& client, Random random,
                               Handlers handlers)
    : loop_(loop),
      client_(client),
      handlers_(std::move(handlers)),
      backoff_(kMinReconnectWait, kMaxReconnectWait, random),
      instance_([&random] {
        Random own = random.fork("instance");
        return random_id(own);
      }()),
      reconnect_timer_(loop),
      heartbeat_timer_(loop),
      silence_timer_(loop) {}

void ManagerSession::start(model::NodeDescription description, model::ManagerList managers) {
  description_ = std::move(description);
  managers_ = std::move(managers.addresses);
  connect_next();
}

void ManagerSession::stop() {
  drop_stream();
  is_open_ = false;
  reconnect_timer_.cancel();
}

void ManagerSession::set_managers(const model::ManagerList& managers) {
  // An empty list would leave the agent with nobody to turn to.
  if (!managers.addresses.empty()) {
    managers_ = managers.addresses;
    next_manager_ = 0;
  }
}

void ManagerSession::set_description(const model::NodeDescription& description) {
  description_ = description;
  tell_description();
}

void ManagerSession::tell_description() {
  if (is_open_ && told_ != description_) {
    told_ = description_;
    send(description_);
  }
}

void ManagerSession::send(model::AgentUpMessage message) {
  if (is_open_) {
    stream_->send(std::move(message));
  }
}

void ManagerSession::connect_next() {
  if (managers_.empty()) {
    close(absl::FailedPreconditionError("no manager is known"), "");
    return;
  }
  const size_t chosen = next_manager_ % managers_.size();
  next_manager_ = chosen + 1;
  connect(managers_[chosen]);
}

void ManagerSession::connect(const std::string& address) {
  manager_ = address;
  DispatcherClient::Events events;
  events.on_message =
      stream_anchor_.bind([this](model::AgentDownMessage message) { receive(std::move(message)); });
  events.on_closed = stream_anchor_.bind(
      [this](const Status& status, const std::string& leader) { close(status, leader); });
  events.on_removed = stream_anchor_.bind([this](const Status& status) { end_for_good(status); });
  expect_word_within(kAcceptTimeout);
  const uint64_t attempt = ++attempt_;
  std::unique_ptr<DispatcherStream> stream = client_.open(address, std::move(events));
  if (attempt != attempt_) {
    return;  // refused before open had returned
  }
  stream_ = std::move(stream);
  told_ = description_;
  stream_->send(model::AgentHello{description_, session_, instance_});
}

void ManagerSession::receive(model::AgentDownMessage message) {
  if (const auto* accepted = std::get_if<model::SessionAccepted>(&message)) {
    accept(*accepted);
    return;
  }
  if (!is_open_) {
    close(absl::InternalError("the manager spoke before it accepted the session"), "");
    return;
  }
  expect_word_within(silence_limit_);
  if (const auto* change = std::get_if<model::RoleChange>(&message)) {
    handlers_.on_role(change->role);
    return;
  }
  if (const auto* managers = std::get_if<model::ManagerList>(&message)) {
    set_managers(*managers);
  }
  handlers_.on_message(std::move(message));
}

void ManagerSession::accept(const model::SessionAccepted& accepted) {
  const bool is_first = !is_open_;
  const Duration last_period = heartbeat_period_;
  heartbeat_period_ = std::max<Duration>(accepted.heartbeat_period, milliseconds(10));
  silence_limit_ = heartbeat_period_ * std::max<int64_t>(accepted.heartbeat_misses, 1);
  expect_word_within(silence_limit_);
  if (is_first) {
    log::info("session opened", {{"manager", manager_}, {"session", accepted.session.value()}});
    session_ = accepted.session;
    static_cast<void>(refusals_.recovered());
    is_open_ = true;
    redirects_ = 0;
    failures_ = 0;
    backoff_.reset();
    heartbeat_timer_.set_after(heartbeat_period_, [this] { beat(); });
    tell_description();  // it may have changed since the hello
    handlers_.on_open(accepted);
  } else if (heartbeat_period_ < last_period) {
    // The manager expects the next beat by the new period already.
    heartbeat_timer_.set_after(heartbeat_period_, [this] { beat(); });
  }
  handlers_.on_role(accepted.role);
}

void ManagerSession::beat() {
  send(model::AgentHeartbeat{applied_, loop_.wall_now()});
  heartbeat_timer_.set_after(heartbeat_period_, [this] { beat(); });
}

void ManagerSession::expect_word_within(Duration limit) {
  silence_timer_.set_after(limit, [this] {
    close(absl::DeadlineExceededError("the manager did not answer in time"), "");
  });
}

void ManagerSession::close(const Status& status, const std::string& leader_address) {
  drop_stream();
  const bool was_open = std::exchange(is_open_, false);
  if (was_open) {
    log::warning("session closed", {{"manager", manager_}, {"reason", status.message()}});
    next_manager_ = 0;
    handlers_.on_closed(status);
  }
  if (!leader_address.empty() && redirects_ < kMaxRedirects) {
    ++redirects_;
    reconnect_timer_.set_after(Duration{0}, [this, leader_address] { connect(leader_address); });
    return;
  }
  redirects_ = 0;
  log_refusal(status, was_open);
  reconnect_timer_.set_after(wait_after(status), [this] { connect_next(); });
}

Duration ManagerSession::wait_after(const Status& status) {
  const bool is_first = failures_++ == 0;
  // Another session of this node was preferred: coming back at once would only push that one out.
  if (absl::IsAlreadyExists(status) || absl::IsAborted(status)) {
    return is_first ? kMaxReconnectWait : kDisplacedWait;
  }
  return is_first ? kFirstRetryWait : backoff_.next();
}

// Of what a person must mend the log tells once; the rest heals by itself.
void ManagerSession::log_refusal(const Status& status, bool was_open) {
  const bool is_for_a_person = absl::IsPermissionDenied(status) || absl::IsAlreadyExists(status);
  if (is_for_a_person) {
    const std::string reason(status.message());
    if (const uint64_t times = refusals_.failed(reason, loop_.now())) {
      log::error("node refused", {{"manager", manager_}, {"reason", reason}, {"times", times}});
    }
  } else if (!was_open) {
    log::debug("manager refused", {{"manager", manager_}, {"reason", status.message()}});
  }
}

void ManagerSession::end_for_good(const Status& status) {
  log::warning("this node was removed from the swarm",
               {{"manager", manager_}, {"reason", status.message()}});
  drop_stream();
  if (std::exchange(is_open_, false)) {
    handlers_.on_closed(status);
  }
  handlers_.on_removed(status);
}

void ManagerSession::drop_stream() {
  ++attempt_;
  stream_anchor_.reset();
  heartbeat_timer_.cancel();
  silence_timer_.cancel();
  if (stream_ != nullptr) {
    // Not here: this may run inside one of its callbacks.
    loop_.post([dropped = std::shared_ptr<DispatcherStream>(std::move(stream_))] {});
  }
}

}  // namespace swarm::agent
