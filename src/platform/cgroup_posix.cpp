#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "platform/cgroup.h"
#include "platform/posix_support.h"

namespace swarm::platform {

namespace {

// The kernel's default, and Docker's: quotas are given for 100 ms.
constexpr int64_t kCpuPeriodMicroseconds = 100'000;
// Against a group that forks faster than it can be read.
constexpr int kMaxKillRounds = 100;
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

// Where a group can be, those first that kill it in one step: version 2, alone or beside version 1,
// then the freezer.
std::vector<std::string> hierarchies(const CgroupPaths& paths) {
  if (exists(paths.root + "/cgroup.controllers")) {
    return {paths.root};
  }
  std::vector<std::string> found;
  for (const char* const name : {"unified", "freezer", "pids", "memory", "cpu"}) {
    found.push_back(paths.root + "/" + name);
  }
  return found;
}

std::vector<pid_t> members_of(const std::string& group) {
  std::ifstream file(group + "/cgroup.procs");
  std::vector<pid_t> members;
  for (pid_t member = 0; file >> member;) {
    if (member > 0) {
      members.push_back(member);
    }
  }
  return members;
}

// A member may fork between the reading of the list and its own end: looks until no new one shows.
void kill_each_member(const std::string& group) {
  std::set<pid_t> killed;
  bool is_new = true;
  for (int round = 0; is_new && round < kMaxKillRounds; ++round) {
    is_new = false;
    for (const pid_t member : members_of(group)) {
      ::kill(member, SIGKILL);
      is_new = killed.insert(member).second || is_new;
    }
  }
}

void kill_members(const std::string& group) {
  if (write_value(group + "/cgroup.kill", "1") == 0) {
    return;
  }
  // Frozen, nothing can fork; the signal takes effect when it thaws.
  const bool is_frozen = write_value(group + "/freezer.state", "FROZEN") == 0;
  kill_each_member(group);
  if (is_frozen) {
    write_value(group + "/freezer.state", "THAWED");
  }
}

}  // namespace

Cgroup::Cgroup(const std::string& name, const CgroupLimits& limits, CgroupPaths paths)
    : paths_(std::move(paths)) {
  if (name.empty()) {
    return;
  }
  if (!limits.is_empty()) {
    if (exists(paths_.root + "/cgroup.controllers")) {
      make_v2(name, limits);
    } else {
      make_v1(name, limits);
    }
  }
  make_tracked(name);
}

void Cgroup::make_tracked(const std::string& name) {
  for (const std::string& hierarchy : hierarchies(paths_)) {
    const std::string parent = hierarchy + "/" + paths_.parent;
    const std::string group = parent + "/" + name;
    if (make_directory(parent) != 0 || make_directory(group) != 0) {
      continue;
    }
    if (std::find(directories_.begin(), directories_.end(), group) == directories_.end()) {
      directories_.push_back(group);
    }
    return;
  }
}

bool Cgroup::kill(const std::string& name, const CgroupPaths& paths) {
  for (const std::string& hierarchy : hierarchies(paths)) {
    const std::string group = hierarchy + "/" + paths.parent + "/" + name;
    if (!name.empty() && exists(group + "/cgroup.procs")) {
      kill_members(group);
      return true;
    }
  }
  return false;
}

void Cgroup::discard(const std::string& name, const CgroupPaths& paths) {
  if (name.empty()) {
    return;
  }
  for (const std::string& hierarchy : hierarchies(paths)) {
    ::rmdir((hierarchy + "/" + paths.parent + "/" + name).c_str());
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
