#pragma once

#include <functional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "base/time.h"
#include "model/ids.h"

namespace swarm::dispatcher {

// A node whose daemon is away but whose mesh serves keeps its tasks for so long: they run, and are
// reached. An upgrade or a repair takes minutes.
inline constexpr Duration kDaemonGrace = minutes(2);
// A node that said it restarts may do without its mesh for so long: an upgrade replaces both. A
// machine that is shut down says the same.
inline constexpr Duration kRestartGrace = seconds(10);
// How long the mesh of a node may take to answer, and how often it is asked while its daemon is
// away.
inline constexpr Duration kMeshProbeLimit = milliseconds(500);
inline constexpr Duration kMeshProbePeriod = seconds(1);

// Asks whether the mesh of a node serves at `address`, for `limit` at most. Answers on the control
// loop.
using MeshProbe = std::function<void(const model::NodeId& node, const std::string& address,
                                     Duration limit, absl::AnyInvocable<void(bool answers)> done)>;

}  // namespace swarm::dispatcher
