#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <mutex>
#include <set>

#include "base/asio_loop.h"
#include "platform/posix_support.h"
#include "platform/process.h"

namespace swarm::platform {

namespace {

namespace asio = boost::asio;

// Where a child finds the pipe of its report.
constexpr int kReportDescriptor = 3;
constexpr size_t kMaxReportBytes = 64 * 1024;
// Only for kernels without pidfd_open.
constexpr Duration kPollPeriod = milliseconds(50);
// A report is complete when its process has ended, unless a descendant kept the pipe: then what is
// there by now is all.
constexpr Duration kReportGrace = seconds(1);
// The same for what a process printed, which is whole but for what its children still say.
constexpr Duration kOutputGrace = milliseconds(50);

// Children whose watch ended before they did: somebody has to collect them. A pid in here is ours
// for as long as it is, because only `collect`, which takes it out, lets it be used again.
class UnwatchedChildren {
 public:
  static UnwatchedChildren& instance() {
    static UnwatchedChildren* const children = new UnwatchedChildren();
    return *children;
  }

  // Knows nothing when the process has not ended or is no child of ours.
  ExitStatus collect(pid_t pid) {
    const std::scoped_lock lock(mutex_);
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) {
      return {};
    }
    pids_.erase(pid);
    if (WIFSIGNALED(status)) {
      return {.is_known = true, .code = 128 + WTERMSIG(status), .signal = WTERMSIG(status)};
    }
    return {.is_known = true, .code = WEXITSTATUS(status), .signal = 0};
  }

  void add(pid_t pid) {
    const std::scoped_lock lock(mutex_);
    if (::waitpid(pid, nullptr, WNOHANG) == 0) {
      pids_.insert(pid);
    }
  }

  void collect_ended() {
    const std::scoped_lock lock(mutex_);
    std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  }

 private:
  std::mutex mutex_;
  std::set<pid_t> pids_;
};

ExitStatus collect(int64_t pid) {
  return UnwatchedChildren::instance().collect(static_cast<pid_t>(pid));
}

class PosixProcess final : public WatchedProcess {
 public:
  enum class Kind { child, other };  // of this program, or of whomever

  PosixProcess(AsioLoop& loop, ProcessId id, Kind kind, ProcessEvents events, Descriptor report,
               bool is_output)
      : loop_(loop),
        id_(std::move(id)),
        kind_(kind),
        events_(std::move(events)),
        is_output_(is_output),
        handle_(loop.context()),
        report_(loop.context()),
        poll_(loop) {
    const int handle = open_process(id_.pid);
    if (handle >= 0) {
      handle_.assign(handle);
      wait_for_exit();
    } else {
      poll_for_exit();
    }
    if (report.is_open()) {
      report_.assign(report.release());
      read_report();
    }
  }

  ~PosixProcess() override {
    if (kind_ == Kind::child && !status_) {
      UnwatchedChildren::instance().add(static_cast<pid_t>(id_.pid));
    }
  }

  const ProcessId& id() const override { return id_; }

 private:
  void wait_for_exit() {
    handle_.async_wait(asio::posix::stream_descriptor::wait_read,
                       anchor_.bind([this](const boost::system::error_code& error) {
                         if (error) {
                           return;
                         }
                         // Seen under load, rarely: woken although it runs, presumably by an event
                         // that was fetched for a descriptor closed meanwhile.
                         if (is_alive(id_)) {
                           wait_for_exit();
                         } else {
                           finish();
                         }
                       }));
  }

  void poll_for_exit() {
    if (!is_alive(id_)) {
      poll_.set_after(Duration::zero(), [this] { finish(); });
      return;
    }
    poll_.set_after(kPollPeriod, [this] { poll_for_exit(); });
  }

  // The report comes before the exit.
  void finish() {
    boost::system::error_code ignored;
    handle_.close(ignored);
    status_ = collect(id_.pid);
    if (report_.is_open()) {
      poll_.set_after(is_output_ ? kOutputGrace : kReportGrace, [this] {
        boost::system::error_code none_left;
        report_.cancel(none_left);
      });
      return;
    }
    deliver_exit();
  }

  void deliver_exit() {
    if (auto on_exit = std::exchange(events_.on_exit, nullptr)) {
      on_exit(*status_);  // may destroy this
    }
  }

  void read_report() {
    report_.async_read_some(
        asio::buffer(chunk_),
        anchor_.bind([this](const boost::system::error_code& error, size_t got) {
          text_.append(chunk_, got);
          if (is_output_ && text_.size() > kMaxOutputBytes) {
            text_.erase(0, text_.size() - kMaxOutputBytes);
          }
          if (!error && text_.size() < kMaxReportBytes) {
            read_report();
            return;
          }
          deliver_report();
        }));
  }

  void deliver_report() {
    boost::system::error_code ignored;
    report_.close(ignored);
    if (status_) {
      poll_.cancel();  // the grace for a report that has come
      loop_.post(anchor_.bind([this] { deliver_exit(); }));
    }
    auto on_report = std::exchange(events_.on_report, nullptr);
    on_report(std::move(text_));  // may destroy this
  }

  AsioLoop& loop_;
  const ProcessId id_;
  const Kind kind_;
  ProcessEvents events_;
  const bool is_output_;
  asio::posix::stream_descriptor handle_;
  asio::posix::stream_descriptor report_;
  char chunk_[4096];
  std::string text_;
  std::optional<ExitStatus> status_;
  Timer poll_;
  Anchor anchor_;
};

// posix_spawn's two lists of what to do in the child.
class SpawnActions {
 public:
  SpawnActions() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnActions() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  // All of these can only fail for lack of memory.
  void fill(const SpawnRequest& request, int report) {
    posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files_, 1, "/dev/null", O_WRONLY, 0);
    const char* const log = request.error_log.empty() ? "/dev/null" : request.error_log.c_str();
    posix_spawn_file_actions_addopen(&files_, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int first_closed = kReportDescriptor;
    if (request.wants_output) {
      posix_spawn_file_actions_adddup2(&files_, report, STDOUT_FILENO);
      posix_spawn_file_actions_adddup2(&files_, report, STDERR_FILENO);
    } else if (report >= 0) {
      posix_spawn_file_actions_adddup2(&files_, report, kReportDescriptor);
      ++first_closed;
    }
    posix_spawn_file_actions_addclosefrom_np(&files_, first_closed);
    if (!request.workdir.empty()) {
      posix_spawn_file_actions_addchdir_np(&files_, request.workdir.c_str());
    }
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

}  // namespace

Result<std::unique_ptr<WatchedProcess>> spawn_process(AsioLoop& loop, const SpawnRequest& request,
                                                      ProcessEvents events) {
  if (request.command.empty()) {
    return absl::InvalidArgumentError("no command to start");
  }
  Pipe report;
  if (request.wants_report || request.wants_output) {
    SWARM_ASSIGN_OR_RETURN(report, make_pipe());
  }
  SpawnActions actions;
  actions.fill(request, report.write.get());
  const auto arguments = argument_vector(request.command);
  const auto environment = argument_vector(request.environment);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, request.command.front().c_str(), actions.files(),
                                 actions.attributes(), arguments.data(), environment.data());
  if (error != 0) {
    return system_error(error, "start " + request.command.front());
  }
  report.write.reset();
  // Not collected yet, so it can be identified even if it has ended already.
  SWARM_ASSIGN_OR_RETURN(ProcessId id, identify_process(pid));
  return std::make_unique<PosixProcess>(loop, std::move(id), PosixProcess::Kind::child,
                                        std::move(events), std::move(report.read),
                                        request.wants_output);
}

Result<std::unique_ptr<WatchedProcess>> watch_process(
    AsioLoop& loop, const ProcessId& process, absl::AnyInvocable<void(ExitStatus)> on_exit) {
  ProcessEvents events;
  events.on_exit = std::move(on_exit);
  auto watch = std::make_unique<PosixProcess>(loop, process, PosixProcess::Kind::other,
                                              std::move(events), Descriptor(), false);
  // Checked after the descriptor was opened: it pins what the pid means now.
  if (!is_alive(process)) {
    (void)collect(process.pid);
    return absl::NotFoundError("process " + std::to_string(process.pid) + " has ended");
  }
  return std::unique_ptr<WatchedProcess>(std::move(watch));
}

void collect_unwatched_children() {
  UnwatchedChildren::instance().collect_ended();
}

void write_report(std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(kReportDescriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      break;
    }
    text.remove_prefix(static_cast<size_t>(put));
  }
  ::close(kReportDescriptor);
}

}  // namespace swarm::platform
