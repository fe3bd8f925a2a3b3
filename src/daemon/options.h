#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "base/log.h"
#include "manager/node.h"

namespace swarm::daemon {

struct Options {
  manager::NodeOptions node;
  log::Level log_level = log::Level::info;
};

// What the command line of swarmd asks for. Empty when the program is to end at once with
// `exit_code`: help was printed on `out`, or on stderr what was wrong (125).
std::optional<Options> parse_options(int argc, char** argv, std::ostream& out, int& exit_code);

}  // namespace swarm::daemon
