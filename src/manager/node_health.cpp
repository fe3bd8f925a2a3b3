#include "manager/node_health.h"

namespace swarm::manager {

namespace {

std::string mebibytes(int64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

std::string disk_trouble(const std::filesystem::path& folder, const platform::DiskSpace& space) {
  if (space.is_read_only) {
    return "the file system of the state folder " + folder.string() + " is read-only";
  }
  if (space.free_bytes >= kMinDiskBytes && space.free_bytes >= space.total_bytes / 100) {
    return "";
  }
  return "the file system of the state folder " + folder.string() + " of " +
         mebibytes(space.total_bytes) + " is nearly full: free some of it";
}

std::string descriptor_trouble(const std::string& program, const platform::DescriptorUse& use) {
  if (use.limit <= 0 || use.used * 100 < use.limit * kMaxDescriptorPercent) {
    return "";
  }
  // Without the exact number: a sentence that changes with every look would be stored each time.
  return program + " uses more than " + std::to_string(kMaxDescriptorPercent) + " % of its " +
         std::to_string(use.limit) + " file descriptors: raise its limit";
}

}  // namespace swarm::manager
