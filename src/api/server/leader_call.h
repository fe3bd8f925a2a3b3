#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "api/deadline.h"
#include "api/limits.h"
#include "api/metadata.h"
#include "api/server/caller.h"
#include "api/server/forwarding.h"
#include "api/server/server_core.h"
#include "api/server/unary_call.h"

namespace swarm::api {

// How one method is served by the leader.
template <class Request, class Response>
struct LeaderMethod {
  using Reply = absl::AnyInvocable<void(Result<Response>)>;

  const char* name;  // "/swarm.v1.Services/Create"
  // A read may be asked again when its answer was lost; a write may not.
  bool is_read = false;
  // Runs on the leader. The gateway may be kept until the reply.
  void (*handle)(std::shared_ptr<Gateway> gateway, const Caller& caller, const Request& request,
                 Reply reply);
  Duration extra{};  // time it may take beyond that of every call
};

// A call that only the leader can answer: runs it here when this manager leads, passes it on to the
// leader otherwise, and looks again while there is none. Passed on once at most. Within the budget
// there is an answer, at the latest that there is no leader.
//
// Owns itself through the callbacks that are under way. From any thread, one step at a time.
template <class Request, class Response>
class LeaderCall : public std::enable_shared_from_this<LeaderCall<Request, Response>> {
 public:
  using Method = LeaderMethod<Request, Response>;

  LeaderCall(std::shared_ptr<ServerCore> core, const Method& method, Caller caller,
             const Request& request, std::shared_ptr<UnaryCall<Response>> call)
      : core_(std::move(core)),
        method_(method),
        caller_(std::move(caller)),
        request_(request),
        call_(std::move(call)),
        deadline_(deadline_after(core_->leader_budget() + method.extra)) {}

  void attempt() {
    if (call_->is_over()) {
      return;
    }
    std::shared_ptr<Gateway> gateway = core_->gateway();
    if (gateway == nullptr) {
      call_->finish(core_->not_a_manager());
      return;
    }
    const Gateway::Leader leader = gateway->leader();
    if (leader.is_self) {
      method_.handle(std::move(gateway), caller_, request_,
                     [self = this->shared_from_this()](Result<Response> result) {
                       self->answered_here(std::move(result));
                     });
    } else if (caller_.is_forwarded) {
      call_->finish_marked(kNotLeaderKey, no_leader());
    } else if (leader.address.empty()) {
      try_again();
    } else {
      forward(leader.address);
    }
  }

 private:
  // A leader that is deposed while it answers cannot; for a read, another manager can.
  void answered_here(Result<Response> result) {
    if (method_.is_read && !caller_.is_forwarded && absl::IsUnavailable(result.status())) {
      try_again();
    } else {
      call_->finish(std::move(result));
    }
  }

  void try_again() {
    const gpr_timespec next = deadline_after(kLeaderRetry);
    if (gpr_time_cmp(next, deadline_) >= 0) {
      call_->finish(no_leader());
      return;
    }
    alarm_ = std::make_unique<grpc::Alarm>();
    // The alarm keeps its function after it has run: what the function owns must be taken out of
    // it, or this call and its alarm would keep each other for ever.
    alarm_->Set(next, [owner = this->shared_from_this()](bool) mutable {
      const auto self = std::move(owner);
      self->attempt();
    });
  }

  void forward(const std::string& address) {
    auto channel = core_->channels().get(address);
    if (!channel.ok()) {
      call_->finish(channel.status());
      return;
    }
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(deadline_);
    mark_forwarded(*context_, caller_.node);
    response_ = Response();
    stub_ = std::make_unique<grpc::TemplatedGenericStub<Request, Response>>(*std::move(channel));
    stub_->UnaryCall(
        context_.get(), method_.name, {}, &request_, &response_,
        [self = this->shared_from_this()](const grpc::Status& status) { self->forwarded(status); });
  }

  void forwarded(const grpc::Status& status) {
    switch (judge(*context_, status, method_.is_read)) {
      case Verdict::answered:
        if (status.ok()) {
          call_->finish(std::move(response_));
        } else {
          call_->finish(from_grpc(status));
        }
        break;
      case Verdict::try_again:
        try_again();
        break;
      case Verdict::unknown:
        call_->finish(outcome_unknown());
        break;
    }
  }

  const std::shared_ptr<ServerCore> core_;
  const Method& method_;
  const Caller caller_;
  const Request request_;  // gRPC's own is gone as soon as the call is over
  const std::shared_ptr<UnaryCall<Response>> call_;
  const gpr_timespec deadline_;
  std::unique_ptr<grpc::Alarm> alarm_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::TemplatedGenericStub<Request, Response>> stub_;
  Response response_;
};

// What a handler of such a method returns to gRPC. `method` must live for ever.
template <class Request, class Response>
grpc::ServerUnaryReactor* serve_by_leader(const std::shared_ptr<ServerCore>& core,
                                          const LeaderMethod<Request, Response>& method,
                                          grpc::CallbackServerContext* context,
                                          const Request* request, Response* response) {
  auto* reactor = new UnaryReactor<Response>(context, response);
  const std::shared_ptr<UnaryCall<Response>> call = reactor->call();
  Result<Caller> caller = admit(*core, *context, method.name);
  if (!caller.ok()) {
    call->finish(caller.status());
    return reactor;
  }
  std::make_shared<LeaderCall<Request, Response>>(core, method, *std::move(caller), *request, call)
      ->attempt();
  return reactor;
}

}  // namespace swarm::api
