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

// A control group (version 1 or 2, whichever the machine has) for one task: it holds everything the
// task starts, whatever becomes of its parents, and sets its limits. Best effort: a limit that
// cannot be set is named in `warnings`; without limits a machine that allows no groups goes
// without. Destroying it removes nothing.
class Cgroup {
 public:
  // Makes the group, or takes the one there is. No group for an empty name.
  Cgroup(const std::string& name, const CgroupLimits& limits, CgroupPaths paths = {});

  // Kills every process of the group of that name. False when there is no such group.
  static bool kill(const std::string& name, const CgroupPaths& paths = {});
  // Removes the group of that name once it is empty; harmless if there is none.
  static void discard(const std::string& name, const CgroupPaths& paths = {});

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
  // Makes sure that there is a group to kill, limits or not.
  void make_tracked(const std::string& name);
  // Makes a directory and writes one limit; false with a warning when that fails.
  bool limit(const std::string& directory, const std::string& file, const std::string& value,
             const std::string& what);

  CgroupPaths paths_;
  std::vector<std::string> directories_;
  std::string memory_events_;  // the file that counts kills
  std::vector<std::string> warnings_;
};

}  // namespace swarm::platform
