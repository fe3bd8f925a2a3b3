#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/service.h"

namespace swarm::runtime {

// What a bundle says about itself, in the file manifest.json of its folder:
//
//   {"command": ["./web", "--quiet"], "env": {"VERSION": "1.0"}, "workdir": "data",
//    "stop_signal": "SIGINT",
//    "health": {"test": ["HTTP", "/health"], "interval_ms": 1000, "timeout_ms": 500,
//               "start_period_ms": 0, "retries": 3}}
//
// Only the command is required. Paths are relative to the folder. The arguments of a service
// replace all of the command but the program.
struct Manifest {
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::string workdir;
  std::string stop_signal;
  std::optional<model::HealthCheck> health;

  bool operator==(const Manifest&) const = default;
};

// FAILED_PRECONDITION with the field that is wrong; unknown fields are wrong, too.
Result<Manifest> parse_manifest(std::string_view text);

// Whether the process runtime knows this kind of test: NONE, CMD, CMD-SHELL or HTTP with what they
// need. FAILED_PRECONDITION otherwise.
Status check_health_test(const std::vector<std::string>& test);

}  // namespace swarm::runtime
