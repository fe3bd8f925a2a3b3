#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "platform/posix_support.h"
#include "platform/process.h"

namespace swarm::platform {

namespace {

std::string read_boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id.substr(0, 8);
}

const std::string& boot_id() {
  static const std::string* const id = new std::string(read_boot_id());
  return *id;
}

struct ProcStat {
  char state = '?';
  std::string start_time;
};

// Fields 3 and 22 of /proc/PID/stat. The name before them is in parentheses and may hold anything.
std::optional<ProcStat> read_stat(int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) {
    return std::nullopt;
  }
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields(line.substr(name_end + 1));
  ProcStat stat;
  fields >> stat.state;
  for (int skipped = 4; skipped <= 22; ++skipped) {
    fields >> stat.start_time;
  }
  return stat;
}

std::string birth_of(const ProcStat& stat) {
  return boot_id() + ":" + stat.start_time;
}

// A descriptor pins the process: between the check of its birth and the signal the pid cannot come
// to mean another one.
Status send_signal(const ProcessId& process, int signal) {
  const Descriptor handle(open_process(process.pid));
  if (!is_alive(process)) {
    return absl::NotFoundError("process " + std::to_string(process.pid) + " has ended");
  }
  const int64_t result = handle.is_open()
                             ? ::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0)
                             : ::kill(static_cast<pid_t>(process.pid), signal);
  if (result == 0) {
    return absl::OkStatus();
  }
  if (errno == ESRCH) {
    return absl::NotFoundError("process " + std::to_string(process.pid) + " has ended");
  }
  return system_error(errno, "signal process " + std::to_string(process.pid));
}

// Against processes that start others as fast as they are looked for.
constexpr int kMaxKillRounds = 20;

// The environment a process was started with, each variable ended by a zero; empty when it cannot
// be read.
std::string environment_of(int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

bool is_marked(int64_t pid, const std::string& variable) {
  const std::string text = '\0' + environment_of(pid);
  return text.find('\0' + variable + '\0') != std::string::npos;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const pid_t pid = static_cast<pid_t>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
    if (pid > 1 && pid != ::getpid()) {
      pids.push_back(pid);
    }
  }
  return pids;
}

struct SignalName {
  std::string_view name;
  int number;
};

constexpr std::array kSignals{
    SignalName{"HUP", SIGHUP},     SignalName{"INT", SIGINT},      SignalName{"QUIT", SIGQUIT},
    SignalName{"ABRT", SIGABRT},   SignalName{"KILL", SIGKILL},    SignalName{"USR1", SIGUSR1},
    SignalName{"USR2", SIGUSR2},   SignalName{"PIPE", SIGPIPE},    SignalName{"ALRM", SIGALRM},
    SignalName{"TERM", SIGTERM},   SignalName{"CONT", SIGCONT},    SignalName{"STOP", SIGSTOP},
    SignalName{"WINCH", SIGWINCH}, SignalName{"VTALRM", SIGVTALRM}};

}  // namespace

Result<ProcessId> identify_process(int64_t pid) {
  const auto stat = read_stat(pid);
  if (!stat) {
    return absl::NotFoundError("there is no process " + std::to_string(pid));
  }
  return ProcessId{pid, birth_of(*stat)};
}

ProcessId current_process() {
  const auto self = identify_process(::getpid());
  return self.ok() ? *self : ProcessId{::getpid(), ""};
}

bool is_alive(const ProcessId& process) {
  if (process.pid <= 0) {
    return false;
  }
  const auto stat = read_stat(process.pid);
  return stat && stat->state != 'Z' && stat->state != 'X' && birth_of(*stat) == process.birth;
}

Result<int> parse_signal(std::string_view text) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) {
    if (number > 0 && number <= SIGRTMAX) {
      return number;
    }
  }
  std::string_view name = text;
  if (name.starts_with("SIG")) {
    name.remove_prefix(3);
  }
  for (const SignalName& known : kSignals) {
    if (known.name == name) {
      return known.number;
    }
  }
  return absl::InvalidArgumentError("'" + std::string(text) +
                                    "' is no signal: use a name such as SIGTERM");
}

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  return name == nullptr ? "signal " + std::to_string(number) : "SIG" + std::string(name);
}

Status terminate_process(const ProcessId& process) {
  return send_signal(process, SIGTERM);
}

Status kill_process(const ProcessId& process) {
  return send_signal(process, SIGKILL);
}

Status kill_process_group(const ProcessId& leader) {
  // A group keeps the number of its leader from being used again for as long as it has members, so
  // the leader may be gone; but another process with that pid means that the whole group is gone.
  const auto present = identify_process(leader.pid);
  if (leader.pid <= 1 || (present.ok() && *present != leader)) {
    return absl::OkStatus();
  }
  if (::kill(-static_cast<pid_t>(leader.pid), SIGKILL) == 0 || errno == ESRCH) {
    return absl::OkStatus();
  }
  return system_error(errno, "kill process group " + std::to_string(leader.pid));
}

void kill_marked_processes(const std::string& variable) {
  std::set<pid_t> killed;
  bool is_new = true;
  for (int round = 0; is_new && round < kMaxKillRounds; ++round) {
    is_new = false;
    for (const pid_t pid : all_processes()) {
      if (!killed.contains(pid) && is_marked(pid, variable)) {
        is_new = killed.insert(pid).second;
        ::kill(pid, SIGKILL);
      }
    }
  }
}

}  // namespace swarm::platform
