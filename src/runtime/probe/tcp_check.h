#pragma once

#include <memory>
#include <vector>

#include "agent/executor.h"
#include "runtime/probe/check.h"

namespace swarm {
class AsioLoop;
}

namespace swarm::runtime {

// Succeeds when every one of `addresses` accepts a connection. Nothing is sent. A failure names the
// target port: "port 80: connection refused".
std::unique_ptr<Check> make_tcp_check(AsioLoop& loop, std::vector<agent::TaskAddress> addresses);

}  // namespace swarm::runtime
