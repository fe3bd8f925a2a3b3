#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace swarm::platform {

// Zero: no limit.
struct CgroupLimits {
  int64_t memory_bytes = 0;
  int64_t nano_cpus = 0;
  int64_t pids = 0;

  bool is_empty() const { return memory_bytes == 0 && nano_cpus == 0 && pids == 0; }
  bool operator==(const CgroupLimits&) const = default;
};

// Where to look; other places in tests.
struct CgroupPaths {
  std::string root = "/sys/fs/cgroup";
  std::string parent = "swarmd";  // all our groups are below it, as Docker's are below "docker"
};

// A control group (version 1 or 2, whichever the machine has) with limits, for one task. Best
// effort: a limit that cannot be set is named in `warnings`. Destroying it removes nothing.
class Cgroup {
 public:
  // Makes the group, or takes the one there is.
  Cgroup(const std::string& name, const CgroupLimits& limits, CgroupPaths paths = {});

  const std::vector<std::string>& warnings() const { return warnings_; }

  // Moves the calling process into it. Safe between fork and exec of a single-threaded process.
  void join() const;
  // Whether the kernel killed a member for want of memory.
  bool had_out_of_memory() const;
  // Removes the empty group; harmless if there is none.
  void remove() const;

 private:
  void make_v1(const std::string& name, const CgroupLimits& limits);
  void make_v2(const std::string& name, const CgroupLimits& limits);
  // Makes a directory and writes one limit; false with a warning when that fails.
  bool limit(const std::string& directory, const std::string& file, const std::string& value,
             const std::string& what);

  CgroupPaths paths_;
  std::vector<std::string> directories_;
  std::string memory_events_;  // the file that counts kills
  std::vector<std::string> warnings_;
};

}  // namespace swarm::platform
