#pragma once

#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/asio_loop.h"
#include "runtime/docker/engine_client.h"

namespace swarm::runtime {

// A container of ours as it was found, and whether it works.
struct FoundContainer {
  ContainerState state;
  bool is_healthy = false;
};

// Looks at every container of one node: lists, inspects one after the other, and tries the ports of
// those that run without a health check, so that a task that served before a restart of swarmd
// counts as healthy at once after it. Containers that vanish meanwhile are left out.
//
// `engine` must outlive the call, and drops it when it is destroyed.
void find_existing(AsioLoop& loop, EngineClient& engine, const std::vector<std::string>& labels,
                   absl::AnyInvocable<void(Result<std::vector<FoundContainer>>)> done);

}  // namespace swarm::runtime
