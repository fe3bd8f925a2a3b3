#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/probe/check.h"

namespace swarm {
class AsioLoop;
}

namespace swarm::runtime {

// Succeeds when every one of `addresses` ("10.1.2.3:80") accepts a connection. Nothing is sent.
std::unique_ptr<Check> make_tcp_check(AsioLoop& loop, std::vector<std::string> addresses);

}  // namespace swarm::runtime
