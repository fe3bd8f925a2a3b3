#include "platform/supervise.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>

#include "platform/posix_support.h"
#include "platform/rotating_log.h"

namespace swarm::platform {

namespace {

// There is no event loop in a shim: it asks the system for the time.
Duration monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

// Exec failed; the errno is in the pipe.
constexpr int kExecFailed = 127;
// How long killed descendants may take to vanish: longer only for those stuck in the kernel.
constexpr Duration kReapLimit = seconds(5);

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
    sigaddset(&set, signal);
  }
  return set;
}

// One output of the process, on its way into a log.
struct Output {
  Output(const std::filesystem::path& path, uint64_t max_bytes, Pipe ends)
      : log(path, max_bytes), pipe(std::move(ends)) {
    ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  }

  // Moves what is there; closes at the end of the stream. Bounded, so that a process that writes
  // without a pause cannot keep the supervisor from its other duties.
  void pump() {
    char chunk[16384];
    for (int rounds = 0; rounds < 64 && pipe.read.is_open(); ++rounds) {
      const ssize_t got = ::read(pipe.read.get(), chunk, sizeof chunk);
      if (got > 0) {
        log.write({chunk, static_cast<size_t>(got)});
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        pipe.read.reset();
      } else {
        return;
      }
    }
  }

  RotatingLog log;
  Pipe pipe;
};

class Supervisor {
 public:
  Supervisor(const SuperviseRequest& request, Pipe out, Pipe err)
      : request_(request),
        out_(request.stdout_log, request.max_log_bytes, std::move(out)),
        err_(request.stderr_log, request.max_log_bytes, std::move(err)),
        cgroup_(request.cgroup, request.limits) {}

  Status start();
  SuperviseResult run();
  void clean_up();

 private:
  [[noreturn]] void become_process(int error_pipe);
  void take_signals();
  void request_stop();
  void reap();
  void kill_descendants();

  const SuperviseRequest& request_;
  Output out_;
  Output err_;
  Cgroup cgroup_;
  Descriptor signals_;
  const pid_t supervisor_ = ::getpid();
  pid_t child_ = -1;
  std::optional<int> status_;  // of the process, once it has ended
  std::optional<Duration> kill_at_;
  bool is_killed_ = false;  // by us, at the end of the grace period
};

Status Supervisor::start() {
  const sigset_t handled = handled_signals();
  ::sigprocmask(SIG_BLOCK, &handled, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  signals_ = Descriptor(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.is_open()) {
    return system_error(errno, "watch signals");
  }
  SWARM_ASSIGN_OR_RETURN(Pipe failure, make_pipe());
  child_ = ::fork();
  if (child_ < 0) {
    return system_error(errno, "fork");
  }
  if (child_ == 0) {
    become_process(failure.write.get());
  }
  for (Pipe* const pipe : {&failure, &out_.pipe, &err_.pipe}) {
    pipe->write.reset();
  }
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure.read.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got == sizeof error) {
    ::waitpid(child_, nullptr, 0);
    return system_error(error, "cannot start " + request_.command.front());
  }
  // Not collected yet: it can be identified even if it has ended.
  SWARM_ASSIGN_OR_RETURN(const ProcessId id, identify_process(child_));
  request_.on_started(id, cgroup_.warnings());
  return absl::OkStatus();
}

// In the child. What it needs was allocated before the fork or is private to the copy.
void Supervisor::become_process(int error_pipe) {
  // The kernel ends it with its supervisor; one that is gone already sends nothing.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor_) {
    ::_exit(kExecFailed);
  }
  ::setsid();
  cgroup_.join();
  // swarmd may be spared by the kernel's out-of-memory killer, but not what it runs. Raising one's
  // own score is always allowed.
  std::ofstream("/proc/self/oom_score_adj") << 0;
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out_.pipe.write.get(), STDOUT_FILENO);
  ::dup2(err_.pipe.write.get(), STDERR_FILENO);
  // Nothing else of ours reaches the process, whatever was inherited.
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  int error = 0;
  if (::chdir(request_.workdir.c_str()) != 0) {
    error = errno;
  } else {
    const auto arguments = argument_vector(request_.command);
    const auto variables = argument_vector(request_.environment);
    // PATH is looked up in what `environ` holds.
    environ = const_cast<char**>(variables.data());
    ::execvp(arguments.front(), arguments.data());
    error = errno;
  }
  if (::write(error_pipe, &error, sizeof error) < 0) {
    ::_exit(kExecFailed - 1);  // nobody is left to hear why
  }
  ::_exit(kExecFailed);
}

SuperviseResult Supervisor::run() {
  while (!status_) {
    pollfd watched[] = {{signals_.get(), POLLIN, 0},
                        {out_.pipe.read.get(), POLLIN, 0},
                        {err_.pipe.read.get(), POLLIN, 0}};
    int timeout = -1;
    if (kill_at_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at_ - monotonic_now());
      timeout = static_cast<int>(std::max<int64_t>(0, std::min<int64_t>(left.count(), 60'000)));
    }
    ::poll(watched, std::size(watched), timeout);
    out_.pump();
    err_.pump();
    take_signals();
    if (kill_at_ && monotonic_now() >= *kill_at_) {
      is_killed_ = true;
      ::kill(-child_, SIGKILL);
      kill_at_.reset();
    }
    reap();
  }
  kill_descendants();
  out_.pump();
  err_.pump();
  SuperviseResult result;
  if (WIFSIGNALED(*status_)) {
    result.signal = WTERMSIG(*status_);
    result.exit_code = 128 + result.signal;
    result.is_out_of_memory =
        result.signal == SIGKILL && !is_killed_ && cgroup_.had_out_of_memory();
  } else {
    result.exit_code = WEXITSTATUS(*status_);
  }
  return result;
}

void Supervisor::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGTERM) {
      request_stop();
    }
  }
}

// The first request sends the stop signal; a later one may only shorten the wait.
void Supervisor::request_stop() {
  const auto deadline = monotonic_now() + request_.grace();
  const bool is_first = !kill_at_;
  if (is_first || deadline < *kill_at_) {
    kill_at_ = deadline;
  }
  if (is_first) {
    ::kill(child_, request_.stop_signal);
  }
}

// Collects the process and every orphan of it that fell to us.
void Supervisor::reap() {
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended <= 0) {
      return;
    }
    if (ended == child_) {
      status_ = status;
    }
  }
}

// The process has ended. Its group is killed first; what left the group falls to us as an orphan,
// one generation at a time.
void Supervisor::kill_descendants() {
  ::kill(-child_, SIGKILL);
  Cgroup::kill(request_.cgroup);
  const auto give_up = monotonic_now() + kReapLimit;
  const std::string children = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  while (monotonic_now() < give_up) {
    std::ifstream file(children);
    pid_t orphan = 0;
    while (file >> orphan) {
      ::kill(orphan, SIGKILL);
    }
    reap();
    if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) {
      return;
    }
    pollfd watched{signals_.get(), POLLIN, 0};
    ::poll(&watched, 1, 10);
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    }
  }
}

void Supervisor::clean_up() {
  cgroup_.remove();
}

}  // namespace

Result<SuperviseResult> supervise(const SuperviseRequest& request) {
  SWARM_ASSIGN_OR_RETURN(Pipe out, make_pipe());
  SWARM_ASSIGN_OR_RETURN(Pipe err, make_pipe());
  Supervisor supervisor(request, std::move(out), std::move(err));
  Status started = supervisor.start();
  if (!started.ok()) {
    supervisor.clean_up();
    return started;
  }
  const SuperviseResult result = supervisor.run();
  supervisor.clean_up();
  return result;
}

}  // namespace swarm::platform
