#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "api/client/blocking_call.h"
#include "base/result.h"
#include "base/time.h"

namespace swarm::api {

// One connection of swarmctl: runs calls and turns what can go wrong with the connection itself
// into sentences that say what to do. One thread at a time.
class ClientConnection {
 public:
  // `where` for the sentences: the path of the socket, or the address.
  ClientConnection(Result<std::shared_ptr<grpc::Channel>> channel, std::string where,
                   Duration deadline);

  template <class Service, class Method, class Request, class Response>
  Status call(Method method, const Request& request, Response& response) {
    SWARM_RETURN_IF_ERROR(channel_.status());
    const auto stub = Service::NewStub(*channel_);
    return explain(call_blocking(*stub, method, request, response, deadline_));
  }

 private:
  Status explain(const CallOutcome& outcome) const;

  const Result<std::shared_ptr<grpc::Channel>> channel_;
  const std::string where_;
  const Duration deadline_;
};

}  // namespace swarm::api
