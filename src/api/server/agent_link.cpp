#include "api/server/agent_link.h"

#include "api/client/grpc_status.h"
#include "api/client/metadata.h"
#include "api/server/caller.h"
#include "base/log.h"
#include "wire/agent_codec.h"

namespace swarm::api {

namespace {

constexpr char kSession[] = "/swarm.v1.Dispatcher/Session";

class LinkSink final : public dispatcher::SessionSink {
 public:
  explicit LinkSink(std::shared_ptr<AgentLink> link) : link_(std::move(link)) {}
  // A dispatcher that ends with its leadership: the agent must look for the next one.
  ~LinkSink() override { link_->close(absl::UnavailableError("the leadership ended")); }
  void send(model::AgentDownMessage message) override { link_->send(std::move(message)); }
  void close(Status reason) override { link_->close(std::move(reason)); }

 private:
  const std::shared_ptr<AgentLink> link_;
};

}  // namespace

AgentLink* AgentLink::open(std::shared_ptr<ServerCore> core, grpc::CallbackServerContext* context) {
  const auto link = std::make_shared<AgentLink>(std::move(core), context);
  link->self_ = link;
  link->start();
  return link.get();
}

AgentLink::AgentLink(std::shared_ptr<ServerCore> core, grpc::CallbackServerContext* context)
    : core_(std::move(core)), context_(context) {}

void AgentLink::start() {
  const Result<Caller> caller = admit(*core_, *context_, kSession);
  const bool is_open = caller.ok() && core_->add_stream(self_);
  gateway_ = core_->gateway();
  if (!caller.ok() || !is_open || gateway_ == nullptr) {
    const std::lock_guard lock(mutex_);
    finish(!caller.ok()
               ? caller.status()
               : (is_open ? core_->not_a_manager() : absl::UnavailableError("this manager stops")));
    return;
  }
  if (!gateway_->leader().is_self) {
    redirect(*gateway_);
    return;
  }
  node_ = caller->node;
  gateway_->open_session(
      node_, host_of_peer(context_->peer()), std::make_unique<LinkSink>(self_),
      [link = self_, gateway = gateway_](Result<std::unique_ptr<Gateway::AgentSession>> session) {
        link->opened(*gateway, std::move(session));
      });
}

void AgentLink::redirect(const Gateway& gateway) {
  const std::string leader = gateway.leader().address;
  const std::lock_guard lock(mutex_);
  if (!is_finished_ && !leader.empty()) {
    context_->AddTrailingMetadata(kLeaderKey, leader);
  }
  finish(absl::FailedPreconditionError("this manager does not lead the swarm"));
}

// Nothing is read before: what an agent says needs a session to go to.
void AgentLink::opened(const Gateway& gateway,
                       Result<std::unique_ptr<Gateway::AgentSession>> session) {
  if (absl::IsFailedPrecondition(session.status())) {
    redirect(gateway);
    return;
  }
  const std::lock_guard lock(mutex_);
  if (!session.ok()) {
    finish(session.status());
    return;
  }
  if (is_finished_) {
    return;  // the session ends with `session`
  }
  session_ = *std::move(session);
  StartRead(&message_);
}

bool AgentLink::receive() {
  if (gateway_->is_removed(node_)) {
    const std::lock_guard lock(mutex_);
    if (!is_finished_) {
      context_->AddTrailingMetadata(kRemovedKey, "1");
    }
    finish(absl::PermissionDeniedError("node " + node_.value() + " was removed from the swarm"));
    return false;
  }
  Result<model::AgentUpMessage> message = wire::decode(message_);
  if (message.ok()) {
    session_->receive(*std::move(message));
  } else if (absl::IsUnimplemented(message.status())) {
    log::debug("message of a newer agent ignored", {{"node", node_.value()}});
  } else {
    const std::lock_guard lock(mutex_);
    finish(message.status());
    return false;
  }
  return true;
}

void AgentLink::OnReadDone(bool ok) {
  if (ok && receive()) {
    const std::lock_guard lock(mutex_);
    if (!is_finished_) {
      StartRead(&message_);
    }
    return;
  }
  const std::lock_guard lock(mutex_);
  finish(absl::OkStatus());
}

void AgentLink::send(model::AgentDownMessage message) {
  v1::AgentDown encoded;
  wire::encode(message, &encoded);
  const size_t bytes = encoded.ByteSizeLong();
  const std::lock_guard lock(mutex_);
  if (is_finished_ || closing_.has_value()) {
    return;
  }
  if (!queue_.push(std::move(encoded), bytes)) {
    log::warning("session ended: agent does not read", {{"node", node_.value()}});
    finish(absl::ResourceExhaustedError("the agent does not read what it is sent"));
    return;
  }
  write_next();
}

void AgentLink::close(Status reason) {
  const std::lock_guard lock(mutex_);
  if (is_finished_ || closing_.has_value()) {
    return;
  }
  closing_ = std::move(reason);
  write_next();
}

void AgentLink::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  queue_.written();
  if (!ok) {
    finish(absl::UnavailableError("the agent is gone"));
    return;
  }
  write_next();
}

void AgentLink::OnCancel() {
  const std::lock_guard lock(mutex_);
  finish(absl::CancelledError("the agent is gone"));
}

void AgentLink::OnDone() {
  core_->remove_stream(this);
  // Outside the mutex: the end of a session calls the manager.
  std::unique_ptr<Gateway::AgentSession> session;
  std::shared_ptr<Gateway> gateway;
  {
    const std::lock_guard lock(mutex_);
    session = std::move(session_);
    gateway = std::move(gateway_);
  }
  session.reset();
  const std::shared_ptr<AgentLink> last = std::move(self_);
}

void AgentLink::write_next() {
  if (is_finished_) {
    return;
  }
  if (const v1::AgentDown* next = queue_.begin_write()) {
    StartWrite(next);
  } else if (closing_.has_value() && queue_.is_idle()) {
    finish(*closing_);
  }
}

void AgentLink::finish(const Status& status) {
  if (is_finished_) {
    return;
  }
  is_finished_ = true;
  Finish(to_grpc(status));
}

}  // namespace swarm::api
