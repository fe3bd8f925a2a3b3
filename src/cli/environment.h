#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/client/client.h"
#include "base/result.h"
#include "base/time.h"
#include "cli/escape.h"

namespace swarm::cli {

// Where text goes: a file descriptor, or a string in tests. A command writes on after an error,
// which is reported once at its end: what it does to the swarm does not depend on who listens.
class Output {
 public:
  virtual ~Output() = default;
  // Control characters come out escaped.
  void write(std::string_view text) { put(escaped(text)); }
  // As it is: for sequences that move the cursor.
  void write_control(std::string_view sequence) { put(sequence); }
  // Of the first write that did not get through. CANCELLED when the reader has gone away, which is
  // the way of `| head` and nothing to complain about.
  virtual Status status() const { return absl::OkStatus(); }

 private:
  virtual void put(std::string_view text) = 0;
};

// What the user looks at. Data goes to `out`, everything else to `err`.
struct Terminal {
  Output& out;
  Output& err;
  bool is_interactive = false;  // `out` shows lines rewritten in place
  size_t width = 0;             // columns; 0: not a terminal, nothing is cut
};

// Time as a waiting command sees it; tests run it without waiting.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() = 0;
  virtual WallTime wall_now() = 0;
  // From here on Ctrl-C is for the command: `sleep` reports it. A second one ends the process.
  virtual void catch_interrupt() = 0;
  // False when the user pressed Ctrl-C.
  [[nodiscard]] virtual bool sleep(Duration duration) = 0;
};

// Everything a command may touch outside itself. Outlives the command; used from one thread.
struct Environment {
  Terminal terminal;
  Clock& clock;
  std::string version;
  std::function<std::unique_ptr<api::Client>(const std::string& endpoint, Duration deadline)>
      connect;
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<Result<std::string>(const std::string& path)> read_file;
};

}  // namespace swarm::cli
