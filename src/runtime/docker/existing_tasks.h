#pragma once

#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/asio_loop.h"
#include "runtime/docker/engine_client.h"
#include "runtime/docker/run_ending.h"

namespace swarm::runtime {

// A container of ours as it was found, and whether it works.
struct FoundContainer {
  ContainerState state;
  bool is_healthy = false;
  RunEnding ending = {};  // of one that has ended
};

// Looks at containers one after the other: inspects, finds out how those that have ended did, and
// tries the ports of those that run without a health check, so that a task that served before a
// restart of swarmd counts as healthy at once after it. Containers that are not ours, or vanish
// meanwhile, are left out.
//
// `engine` must outlive the call, and drops it when it is destroyed.
void find_existing(AsioLoop& loop, EngineClient& engine, std::vector<std::string> ids,
                   absl::AnyInvocable<void(Result<std::vector<FoundContainer>>)> done);

}  // namespace swarm::runtime
