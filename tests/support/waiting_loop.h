#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <string>

#include "base/asio_loop.h"
#include "base/random.h"
#include "platform/file_system.h"

namespace swarm::test {

// A real loop for tests of adapters, run by the test itself while it waits for something.
class WaitingLoop {
 public:
  AsioLoop& loop() { return loop_; }

  // Runs the loop until `condition` holds; false when it does not within `limit`.
  template <class Condition>
  bool until(Condition condition, Duration limit = seconds(20)) {
    const TimePoint end = loop_.now() + limit;
    while (!condition()) {
      if (loop_.now() >= end) {
        return false;
      }
      loop_.context().run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  // Runs the loop for a while in which nothing should happen.
  void idle(Duration time) {
    const TimePoint end = loop_.now() + time;
    until([&] { return loop_.now() >= end; });
  }

 private:
  AsioLoop loop_{"test"};
};

// A directory that is gone with the test.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    Random random = Random::from_system();
    path_ = std::filesystem::temp_directory_path() / ("swarm-test-" + random_id(random));
    std::filesystem::create_directories(path_);
  }
  ~ScratchDirectory() { (void)platform::remove_tree(path_); }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace swarm::test
