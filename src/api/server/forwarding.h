#pragma once

#include <string>

#include "api/server/caller.h"
#include "base/result.h"

namespace grpc {
class ClientContext;
class Status;
}  // namespace grpc

namespace swarm::api {

// What may be done when nobody knows whether a call was carried out.
enum class Repeat {
  freely,  // it changes nothing, or twice is as good as once
  once,    // the leader knows it by its number (Caller::request) and carries it out only once
  never,
};

// Marks a request that is passed on to the leader for somebody.
void mark_forwarded(grpc::ClientContext& context, const Caller& caller);

// What the outcome of a call that was passed on means.
enum class Verdict {
  answered,  // it is the leader's answer
  not_done,
  unknown,  // the answer was lost, or the leader could not know it
};
Verdict judge(const grpc::ClientContext& context, const grpc::Status& status);

Status no_leader();
// `since`: why there is no other leader to ask; empty when there may be one.
Status outcome_unknown(const std::string& since);

}  // namespace swarm::api
