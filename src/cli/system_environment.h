#pragma once

#include <string>

#include "cli/environment.h"

namespace swarm::cli {

// The environment of a real process: stdout, stderr, the system's clocks, SIGINT, variables, files.
// One per process, because there is one SIGINT.
class SystemEnvironment {
 public:
  using Connect = std::unique_ptr<api::Client> (*)(const std::string& endpoint, Duration deadline);

  SystemEnvironment(std::string version, Connect connect);
  ~SystemEnvironment();
  SystemEnvironment(const SystemEnvironment&) = delete;
  SystemEnvironment& operator=(const SystemEnvironment&) = delete;

  Environment& environment() { return *environment_; }

 private:
  class StreamOutput;
  class SystemClock;

  std::unique_ptr<Output> out_;
  std::unique_ptr<Output> err_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Environment> environment_;
};

}  // namespace swarm::cli
