#pragma once

#include "base/result.h"
#include "model/ids.h"

namespace grpc {
class ClientContext;
class Status;
}  // namespace grpc

namespace swarm::api {

// Marks a request that is passed on to the leader for `node`.
void mark_forwarded(grpc::ClientContext& context, const model::NodeId& node);

// What the outcome of a call that was passed on means.
enum class Verdict {
  answered,   // it is the leader's answer
  try_again,  // nothing was done, or doing it twice does no harm
  unknown,    // a write whose answer was lost
};
Verdict judge(const grpc::ClientContext& context, const grpc::Status& status, bool is_read);

Status no_leader();
Status outcome_unknown();

}  // namespace swarm::api
