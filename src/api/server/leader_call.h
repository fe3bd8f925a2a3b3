#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "api/client/deadline.h"
#include "api/client/limits.h"
#include "api/client/metadata.h"
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
  Repeat repeat = Repeat::never;
  // Runs on the leader. The gateway may be kept until the reply.
  void (*handle)(std::shared_ptr<Gateway> gateway, const Caller& caller, const Request& request,
                 Reply reply);
  Duration extra{};  // time it may take beyond that of every call
};

// One attempt to have a call answered by the leader. It is let go as soon as this manager hears of
// another one: the leader may be silent and not gone, and would keep the caller waiting until the
// connection is found dead. From any thread.
template <class Request, class Response>
class ForwardedCall : public std::enable_shared_from_this<ForwardedCall<Request, Response>> {
 public:
  ForwardedCall(std::shared_ptr<ServerCore> core, std::string leader)
      : core_(std::move(core)), leader_(std::move(leader)) {}

  // `request` stays valid until `done` is called with the verdict, the status and the response.
  template <class Done>
  void start(const char* method, const Request& request, const Caller& caller,
             std::shared_ptr<grpc::Channel> channel, gpr_timespec deadline, Done done) {
    context_.set_deadline(deadline);
    mark_forwarded(context_, caller);
    stub_ = std::make_unique<grpc::TemplatedGenericStub<Request, Response>>(std::move(channel));
    stub_->UnaryCall(&context_, method, {}, &request, &response_,
                     [self = this->shared_from_this(), done](const grpc::Status& status) {
                       self->is_over_ = true;
                       done(judge(self->context_, status), status, std::move(self->response_));
                     });
    look_again();
  }

 private:
  void look_again() {
    // Each alarm is kept by its own function, until that has run.
    auto alarm = std::make_shared<grpc::Alarm>();
    grpc::Alarm& set = *alarm;
    set.Set(deadline_after(kLeaderRetry),
            [owner = this->shared_from_this(), keep = std::move(alarm)](bool) mutable {
              const auto ends_last = std::move(keep);
              const auto self = std::move(owner);
              self->look();
            });
  }

  void look() {
    const std::shared_ptr<Gateway> gateway = is_over_ ? nullptr : core_->gateway();
    if (gateway == nullptr) {
      return;
    }
    const Gateway::Leader leader = gateway->leader();
    if (leader.is_self || (!leader.address.empty() && leader.address != leader_)) {
      context_.TryCancel();
    } else {
      look_again();
    }
  }

  const std::shared_ptr<ServerCore> core_;
  const std::string leader_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::TemplatedGenericStub<Request, Response>> stub_;
  Response response_;
  std::atomic<bool> is_over_ = false;
};

// A call that only the leader can answer: runs it here when this manager leads, passes it on to the
// leader otherwise, and looks again while there is none. A leader that is lost before it answers is
// not the end: the next one is asked, if the call may be repeated. Passed on by one manager only.
// Within the budget there is an answer, at the latest that there is no leader.
//
// Owns itself through the callbacks that are under way. From any thread, one step at a time.
template <class Request, class Response>
class LeaderCall : public std::enable_shared_from_this<LeaderCall<Request, Response>> {
 public:
  using Method = LeaderMethod<Request, Response>;

  LeaderCall(std::shared_ptr<ServerCore> core, const Method& method, Caller caller,
             const Request& request, std::shared_ptr<UnaryCall<Response>> call,
             gpr_timespec patience)
      : core_(std::move(core)),
        method_(method),
        caller_(std::move(caller)),
        request_(request),
        call_(std::move(call)),
        deadline_(gpr_time_min(deadline_after(core_->leader_budget() + method.extra), patience)) {
    if (method.repeat == Repeat::once && !caller_.is_forwarded) {
      caller_.request.number = core_->next_request_number();
    }
  }

  // Whoever was to answer is gone: a caller over the network must never be left waiting.
  ~LeaderCall() {
    call_->finish(absl::UnavailableError("this manager is stopping: try another one"));
  }

  void attempt() {
    if (call_->is_over()) {
      return;
    }
    std::shared_ptr<Gateway> gateway = core_->gateway();
    if (gateway == nullptr) {
      call_->finish(core_->not_a_manager());
      return;
    }
    if (!since_.has_value()) {
      since_ = gateway->committed();
    }
    const Gateway::Leader leader = gateway->leader();
    if (leader.is_self) {
      method_.handle(std::move(gateway), caller_, request_,
                     [self = this->shared_from_this()](Result<Response> result) {
                       self->answered_here(std::move(result));
                     });
    } else if (caller_.is_forwarded) {
      call_->finish_marked(kNotLeaderKey, no_leader());
    } else if (const std::string loss = gateway->quorum_loss();
               leader.address.empty() && !loss.empty()) {
      call_->finish(has_unknown_outcome() ? outcome_unknown(loss)
                                          : Status(absl::UnavailableError(loss)));
    } else if (leader.address.empty()) {
      try_again();
    } else {
      forward(leader.address);
    }
  }

 private:
  // A leader that is deposed while it answers cannot know; whoever passed the call on asks the next
  // one.
  void answered_here(Result<Response> result) {
    if (absl::IsUnavailable(result.status()) && !caller_.is_forwarded &&
        method_.repeat != Repeat::never) {
      repeat();
    } else {
      call_->finish(std::move(result));
    }
  }

  bool has_unknown_outcome() const { return caller_.request.repeated_since.has_value(); }

  void repeat() {
    if (method_.repeat == Repeat::once) {
      caller_.request.repeated_since = since_;
    }
    try_again();
  }

  void try_again() {
    const gpr_timespec next = deadline_after(kLeaderRetry);
    if (gpr_time_cmp(next, deadline_) >= 0) {
      call_->finish(has_unknown_outcome()
                        ? outcome_unknown("the swarm has had no leader since: fewer than a quorum "
                                          "of managers can be reached")
                        : no_leader());
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
    std::make_shared<ForwardedCall<Request, Response>>(core_, address)
        ->start(method_.name, request_, caller_, *std::move(channel), deadline_,
                [self = this->shared_from_this()](Verdict verdict, const grpc::Status& status,
                                                  Response response) {
                  self->forwarded(verdict, status, std::move(response));
                });
  }

  void forwarded(Verdict verdict, const grpc::Status& status, Response response) {
    if (verdict == Verdict::not_done) {
      try_again();
    } else if (verdict == Verdict::unknown) {
      if (method_.repeat == Repeat::never) {
        call_->finish(outcome_unknown({}));
      } else {
        repeat();
      }
    } else if (status.ok()) {
      call_->finish(std::move(response));
    } else {
      call_->finish(from_grpc(status));
    }
  }

  const std::shared_ptr<ServerCore> core_;
  const Method& method_;
  Caller caller_;
  const Request request_;  // gRPC's own is gone as soon as the call is over
  const std::shared_ptr<UnaryCall<Response>> call_;
  const gpr_timespec deadline_;
  std::optional<model::Position> since_;  // committed when the call came
  std::unique_ptr<grpc::Alarm> alarm_;
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
  // A caller that waits for less is answered before it hangs up, and so hears the reason.
  const gpr_timespec patience =
      gpr_time_sub(gpr_convert_clock_type(context->raw_deadline(), GPR_CLOCK_MONOTONIC),
                   gpr_time_from_nanos(kAnswerAhead.count(), GPR_TIMESPAN));
  std::make_shared<LeaderCall<Request, Response>>(core, method, *std::move(caller), *request, call,
                                                  patience)
      ->attempt();
  return reactor;
}

}  // namespace swarm::api
