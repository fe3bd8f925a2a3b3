#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/environment.h"
#include "cli/exit_code.h"

namespace swarm::cli {

inline constexpr std::string_view kDefaultHost = "unix:/run/swarmd/swarmd.sock";
// Of one request, unless --timeout is shorter: init and join may take this long on a slow machine.
inline constexpr Duration kRequestDeadline = seconds(30);
// Of one that waits until the tasks of the node have drained and stopped: swarmd knows for how
// long.
inline constexpr Duration kLeaveDeadline = hours(1);

// Flags every command has.
struct GlobalOptions {
  std::string host;                 // empty: SWARM_HOST, else kDefaultHost
  std::optional<Duration> timeout;  // of waiting for convergence, and an upper bound of one request
};

// One run of one command: the connection, made at first use, and the ways to speak to the user.
class Session {
 public:
  Session(Environment& environment, GlobalOptions options);

  Environment& environment() { return environment_; }
  Clock& clock() { return environment_.clock; }
  const GlobalOptions& options() const { return options_; }
  // `deadline`: of its requests; the first use decides.
  api::Client& client(Duration deadline = kRequestDeadline);

  void print(std::string_view line);        // to stdout, with a newline
  void print_error(std::string_view line);  // to stderr, with a newline
  int fail(const Status& status);           // prints "Error: ..." and gives kError

  // `change` reads an object, changes it as the flags say and writes it back. Managers write to
  // their objects too, as to a node that has just joined: if that came in between, all begins anew,
  // a few times.
  static Status until_in_sequence(const std::function<Status()>& change);

 private:
  Environment& environment_;
  const GlobalOptions options_;
  std::unique_ptr<api::Client> client_;
};

}  // namespace swarm::cli
