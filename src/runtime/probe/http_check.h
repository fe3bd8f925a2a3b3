#pragma once

#include <memory>
#include <string>

#include "runtime/probe/check.h"

namespace swarm {
class AsioLoop;
}

namespace swarm::runtime {

// GET `path` from `address` ("127.0.0.1:8080"); succeeds on a status from 200 to 399. Only the
// status line is read.
std::unique_ptr<Check> make_http_check(AsioLoop& loop, std::string address, std::string path);

}  // namespace swarm::runtime
