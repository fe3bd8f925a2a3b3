#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <utility>

#include "api/client/grpc_status.h"
#include "base/result.h"

namespace swarm::api {

// One unary call that is being served. gRPC frees the reply and the context once the call is
// finished, and a caller that goes away finishes it at any moment: so there is one winner, who may
// touch them, and everybody else finds the call over. Held by whoever will answer. From any thread.
template <class Response>
class UnaryCall {
 public:
  UnaryCall(grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
            Response* response)
      : context_(context), reactor_(reactor), response_(response) {}

  bool is_over() const { return is_over_; }

  void finish(Result<Response> result) {
    if (is_over_.exchange(true)) {
      return;
    }
    if (result.ok()) {
      *response_ = *std::move(result);
    }
    reactor_->Finish(to_grpc(result.status()));
  }

  // With a mark for the manager that passed the call on (metadata.h).
  void finish_marked(const char* key, const Status& status) {
    if (is_over_.exchange(true)) {
      return;
    }
    context_->AddTrailingMetadata(key, "1");
    reactor_->Finish(to_grpc(status));
  }

  void cancel() {
    if (!is_over_.exchange(true)) {
      reactor_->Finish(grpc::Status::CANCELLED);
    }
  }

 private:
  std::atomic<bool> is_over_ = false;
  grpc::CallbackServerContext* const context_;
  grpc::ServerUnaryReactor* const reactor_;
  Response* const response_;
};

// gRPC's side of it. Deletes itself when gRPC is done with it.
template <class Response>
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  UnaryReactor(grpc::CallbackServerContext* context, Response* response)
      : call_(std::make_shared<UnaryCall<Response>>(context, this, response)) {}

  const std::shared_ptr<UnaryCall<Response>>& call() const { return call_; }

  // What follows is short and waits for nothing: gRPC need not hand it to yet another thread.
  bool InternalInlineable() override { return true; }

  // A server that stops waits for every call: one that is cancelled must end now, not when the
  // swarm gets around to answering it.
  void OnCancel() override { call_->cancel(); }
  void OnDone() override { delete this; }

 private:
  const std::shared_ptr<UnaryCall<Response>> call_;
};

}  // namespace swarm::api
