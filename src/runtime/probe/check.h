#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "base/time.h"

namespace swarm::runtime {

// One way to find out whether a task works: a connection, an HTTP request, a command. On one loop.
// Destroying it gives up a run in progress; its callback is then never called.
class Check {
 public:
  struct Outcome {
    bool is_ok = false;
    std::string detail;  // why not: one sentence
  };
  using Done = absl::AnyInvocable<void(Outcome)>;

  virtual ~Check() = default;

  // Answers within `timeout`, never from inside the call. One run at a time.
  virtual void run(Duration timeout, Done done) = 0;
};

}  // namespace swarm::runtime
