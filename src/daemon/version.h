#pragma once

namespace swarm::daemon {

inline constexpr const char* kVersion = SWARM_VERSION;

}  // namespace swarm::daemon
