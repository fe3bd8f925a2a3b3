#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/environment.h"
#include "fake_swarm.h"

namespace swarm::cli {

class StringOutput : public Output {
 public:
  Status failure;  // what every write ends with

  std::string take() { return std::exchange(text_, ""); }
  Status status() const override { return failure; }

 private:
  void put(std::string_view text) override { text_ += failure.ok() ? text : ""; }

  std::string text_;
};

// Sleeping moves the time and lets the test change the swarm; nothing waits.
class FakeClock : public Clock {
 public:
  std::function<void(int sleeps)> on_sleep;
  std::optional<int> interrupt_after;  // so many sleeps

  TimePoint now() override { return now_; }
  WallTime wall_now() override { return kNow + (now_ - TimePoint{}); }
  void catch_interrupt() override {}
  bool sleep(Duration duration) override;

 private:
  TimePoint now_{};
  int sleeps_ = 0;
};

struct RunResult {
  std::string out;
  std::string err;
  int exit_code = 0;
};

// Runs command lines against a swarm in memory.
class Fixture {
 public:
  FakeSwarm swarm;
  FakeClock clock;
  bool is_interactive = false;
  size_t width = 0;
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;
  std::string endpoint;  // of the last connection
  Duration deadline{};
  Status output_failure;  // of stdout

  // Without "swarmctl"; words are split as a shell splits them.
  RunResult run(const std::string& command_line);

 private:
  Environment environment();

  StringOutput out_;
  StringOutput err_;
};

}  // namespace swarm::cli
