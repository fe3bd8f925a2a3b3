#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "platform/cgroup.h"
#include "platform/posix_support.h"

namespace swarm::platform {

namespace {

// The kernel's default, and Docker's: quotas are given for 100 ms.
constexpr int64_t kCpuPeriodMicroseconds = 100'000;
// The kernel refuses less than 1 ms.
constexpr int64_t kMinQuotaMicroseconds = 1'000;

int64_t quota_of(int64_t nano_cpus) {
  return std::max(kMinQuotaMicroseconds, nano_cpus / (1'000'000'000 / kCpuPeriodMicroseconds));
}

// Control files take one write of the whole value; 0 or an errno.
int write_value(const std::string& path, const std::string& value) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return errno;
  }
  return ::write(file.get(), value.data(), value.size()) < 0 ? errno : 0;
}

int make_directory(const std::string& path) {
  return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST ? 0 : errno;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

Cgroup::Cgroup(const std::string& name, const CgroupLimits& limits, CgroupPaths paths)
    : paths_(std::move(paths)) {
  if (limits.is_empty()) {
    return;
  }
  if (exists(paths_.root + "/cgroup.controllers")) {
    make_v2(name, limits);
  } else {
    make_v1(name, limits);
  }
}

bool Cgroup::limit(const std::string& directory, const std::string& file, const std::string& value,
                   const std::string& what) {
  int error = make_directory(directory);
  if (error == 0) {
    if (std::find(directories_.begin(), directories_.end(), directory) == directories_.end()) {
      directories_.push_back(directory);
    }
    error = write_value(directory + "/" + file, value);
  }
  if (error != 0) {
    warnings_.push_back(what + " limit not applied: " + directory + "/" + file + ": " +
                        std::strerror(error));
  }
  return error == 0;
}

void Cgroup::make_v1(const std::string& name, const CgroupLimits& limits) {
  const auto directory = [&](const std::string& controller) {
    const std::string parent = paths_.root + "/" + controller + "/" + paths_.parent;
    make_directory(parent);  // a failure shows in the next step
    return parent + "/" + name;
  };
  if (limits.memory_bytes > 0) {
    const std::string memory = directory("memory");
    limit(memory, "memory.limit_in_bytes", std::to_string(limits.memory_bytes), "memory");
    memory_events_ = memory + "/memory.oom_control";
  }
  if (limits.nano_cpus > 0) {
    const std::string cpu = directory("cpu");
    if (limit(cpu, "cpu.cfs_period_us", std::to_string(kCpuPeriodMicroseconds), "cpu")) {
      limit(cpu, "cpu.cfs_quota_us", std::to_string(quota_of(limits.nano_cpus)), "cpu");
    }
  }
  if (limits.pids > 0) {
    limit(directory("pids"), "pids.max", std::to_string(limits.pids), "pids");
  }
}

void Cgroup::make_v2(const std::string& name, const CgroupLimits& limits) {
  const std::string parent = paths_.root + "/" + paths_.parent;
  make_directory(parent);  // this and the next show in the limits, which then have no files
  for (const std::string& level : {paths_.root, parent}) {
    for (const char* const controller : {"+memory", "+cpu", "+pids"}) {
      write_value(level + "/cgroup.subtree_control", controller);
    }
  }
  const std::string group = parent + "/" + name;
  if (limits.memory_bytes > 0) {
    limit(group, "memory.max", std::to_string(limits.memory_bytes), "memory");
    memory_events_ = group + "/memory.events";
  }
  if (limits.nano_cpus > 0) {
    limit(group, "cpu.max",
          std::to_string(quota_of(limits.nano_cpus)) + " " + std::to_string(kCpuPeriodMicroseconds),
          "cpu");
  }
  if (limits.pids > 0) {
    limit(group, "pids.max", std::to_string(limits.pids), "pids");
  }
}

void Cgroup::join() const {
  for (const std::string& directory : directories_) {
    write_value(directory + "/cgroup.procs", "0");
  }
}

bool Cgroup::had_out_of_memory() const {
  std::ifstream file(memory_events_);
  std::string key;
  int64_t count = 0;
  while (file >> key >> count) {
    if (key == "oom_kill") {
      return count > 0;
    }
  }
  return false;
}

void Cgroup::remove() const {
  for (const std::string& directory : directories_) {
    ::rmdir(directory.c_str());
  }
}

}  // namespace swarm::platform
