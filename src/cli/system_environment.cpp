#include "cli/system_environment.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "platform/terminal.h"

namespace swarm::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;

extern "C" void on_interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<std::string> read_whole_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) {
    return absl::NotFoundError("cannot open " + path + ": " + std::strerror(errno));
  }
  std::string text;
  char buffer[4096];
  size_t count = 0;
  while ((count = std::fread(buffer, 1, sizeof(buffer), file.get())) > 0) {
    text.append(buffer, count);
  }
  if (std::ferror(file.get()) != 0) {
    return absl::UnavailableError("cannot read " + path + ": " + std::strerror(errno));
  }
  return text;
}

}  // namespace

// Flushed at once: progress must be seen while it happens.
class SystemEnvironment::StreamOutput : public Output {
 public:
  explicit StreamOutput(std::FILE* stream) : stream_(stream) {}
  Status status() const override { return status_; }

 private:
  void put(std::string_view text) override {
    const bool is_written = std::fwrite(text.data(), 1, text.size(), stream_) == text.size();
    if (is_written && std::fflush(stream_) == 0) {
      return;
    }
    const int error = errno;
    if (status_.ok()) {
      status_ = error == EPIPE ? absl::CancelledError("nobody reads the output")
                               : absl::DataLossError(std::strerror(error));
    }
  }

  std::FILE* stream_;
  Status status_;
};

class SystemEnvironment::SystemClock : public Clock {
 public:
  TimePoint now() override {
    const auto elapsed = std::chrono::steady_clock::now().time_since_epoch();
    return TimePoint(std::chrono::duration_cast<Duration>(elapsed));
  }
  WallTime wall_now() override {
    const auto elapsed = std::chrono::system_clock::now().time_since_epoch();
    return WallTime(std::chrono::duration_cast<Duration>(elapsed));
  }
  void catch_interrupt() override { std::signal(SIGINT, &on_interrupt); }
  // Not woken by the signal: callers sleep for a tenth of a second at most.
  bool sleep(Duration duration) override {
    if (interrupted == 0) {
      std::this_thread::sleep_for(duration);
    }
    return interrupted == 0;
  }
};

SystemEnvironment::SystemEnvironment(std::string version, Connect connect)
    : out_(std::make_unique<StreamOutput>(stdout)),
      err_(std::make_unique<StreamOutput>(stderr)),
      clock_(std::make_unique<SystemClock>()) {
  environment_ = std::make_unique<Environment>(Environment{
      .terminal = {.out = *out_,
                   .err = *err_,
                   .is_interactive = platform::is_terminal(stdout),
                   .width = platform::terminal_width(stdout)},
      .clock = *clock_,
      .version = std::move(version),
      .connect = connect,
      .variable = &variable_of_process,
      .read_file = &read_whole_file,
  });
}

SystemEnvironment::~SystemEnvironment() = default;

}  // namespace swarm::cli
