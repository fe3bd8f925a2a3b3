#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace swarm::platform {

// What this machine offers to tasks. Zero where the system does not say.
struct Machine {
  int64_t cpus = 0;
  int64_t memory_bytes = 0;
};
Machine describe_machine();

struct DiskSpace {
  int64_t total_bytes = 0;
  int64_t free_bytes = 0;  // for programs without privileges
  bool is_read_only = false;
};
// Of the file system that holds `path`.
Result<DiskSpace> disk_space(const std::filesystem::path& path);

struct DescriptorUse {
  int64_t used = 0;
  int64_t limit = 0;  // 0: the system does not say
};
// Of a process. NOT_FOUND when there is none with that pid.
Result<DescriptorUse> descriptor_use(int64_t pid);

}  // namespace swarm::platform
