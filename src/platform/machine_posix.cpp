#include "platform/machine.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "platform/posix_support.h"

namespace swarm::platform {

Machine describe_machine() {
  const auto known = [](int64_t value) { return std::max<int64_t>(value, 0); };
  return {.cpus = known(::sysconf(_SC_NPROCESSORS_ONLN)),
          .memory_bytes = known(::sysconf(_SC_PHYS_PAGES)) * known(::sysconf(_SC_PAGESIZE))};
}

Result<DiskSpace> disk_space(const std::filesystem::path& path) {
  struct statvfs system{};
  if (::statvfs(path.c_str(), &system) != 0) {
    return system_error(errno, "cannot look at the file system of " + path.string());
  }
  const auto unit = static_cast<int64_t>(system.f_frsize);
  return DiskSpace{.total_bytes = static_cast<int64_t>(system.f_blocks) * unit,
                   .free_bytes = static_cast<int64_t>(system.f_bavail) * unit,
                   .is_read_only = (system.f_flag & ST_RDONLY) != 0};
}

Result<DescriptorUse> descriptor_use(int64_t pid) {
  DescriptorUse use;
  rlimit limit{};
  if (::prlimit(static_cast<pid_t>(pid), RLIMIT_NOFILE, nullptr, &limit) != 0) {
    return system_error(errno, "cannot look at the limits of process " + std::to_string(pid));
  }
  use.limit = limit.rlim_cur == RLIM_INFINITY ? 0 : static_cast<int64_t>(limit.rlim_cur);
  std::error_code error;
  const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/fd";
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    ++use.used;
  }
  if (error) {
    return system_error(error.value(),
                        "cannot count the descriptors of process " + std::to_string(pid));
  }
  return use;
}

}  // namespace swarm::platform
