#pragma once

#include <grpcpp/client_context.h>

#include "api/client/deadline.h"
#include "api/client/grpc_status.h"
#include "api/client/metadata.h"
#include "base/result.h"
#include "base/time.h"

namespace swarm::api {

// The outcome of one blocking call, and who has spoken: a server of ours, whose sentence is meant
// for a person, or gRPC about the connection.
struct CallOutcome {
  grpc::Status status;
  bool is_answer = false;
};

// Runs `method` of a generated stub with a deadline.
template <class Stub, class Request, class Response>
CallOutcome call_blocking(Stub& stub,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                       Response*),
                          const Request& request, Response& response, Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(deadline_after(timeout));
  CallOutcome outcome;
  outcome.status = (stub.*method)(&context, request, &response);
  outcome.is_answer =
      outcome.status.ok() || context.GetServerTrailingMetadata().count(kAnswerKey) > 0;
  return outcome;
}

}  // namespace swarm::api
