#include "runtime/process/command_check.h"

#include <utility>

#include "base/asio_loop.h"
#include "runtime/probe/check_output.h"

namespace swarm::runtime {

namespace {

class CommandCheck final : public Check {
 public:
  CommandCheck(AsioLoop& loop, platform::SpawnRequest request)
      : loop_(loop), request_(std::move(request)), deadline_(loop) {}

  ~CommandCheck() override { kill(); }

  void run(Duration timeout, Done done) override {
    done_ = std::move(done);
    is_late_ = false;
    output_.clear();
    platform::ProcessEvents events;
    events.on_report = [this](std::string text) { output_ = std::move(text); };
    events.on_exit = [this](platform::ExitStatus status) { judge(status); };
    auto process = platform::spawn_process(loop_, request_, std::move(events));
    if (!process.ok()) {
      loop_.post(anchor_.bind([this, why = std::string(process.status().message())] {
        finish({.is_ok = false, .detail = why});
      }));
      return;
    }
    process_ = *std::move(process);
    deadline_.set_after(timeout, [this] {
      is_late_ = true;
      kill();
    });
  }

 private:
  // Its end is still awaited: that collects it.
  void kill() {
    if (process_ != nullptr) {
      (void)platform::kill_process_group(process_->id());
    }
  }

  void judge(platform::ExitStatus status) {
    if (!is_late_ && status.is_known && status.code == 0) {
      finish({.is_ok = true, .detail = ""});
      return;
    }
    const std::string told = tell_output(output_);
    finish({.is_ok = false,
            .detail = "health check '" + request_.command.front() + "' " + end_of(status) +
                      (told.empty() ? "" : ": " + told)});
  }

  std::string end_of(platform::ExitStatus status) const {
    if (is_late_) {
      return "took too long";
    }
    return status.signal != 0 ? "was killed by " + platform::signal_name(status.signal)
                              : "ended with code " + std::to_string(status.code);
  }

  void finish(Outcome outcome) {
    process_.reset();
    deadline_.cancel();
    auto done = std::exchange(done_, nullptr);
    done(std::move(outcome));  // may destroy this
  }

  AsioLoop& loop_;
  platform::SpawnRequest request_;
  Timer deadline_;
  bool is_late_ = false;
  std::string output_;
  std::unique_ptr<platform::WatchedProcess> process_;
  Done done_;
  Anchor anchor_;
};

}  // namespace

std::unique_ptr<Check> make_command_check(AsioLoop& loop, std::vector<std::string> command,
                                          std::vector<std::string> environment,
                                          std::string workdir) {
  platform::SpawnRequest request;
  request.command = std::move(command);
  request.environment = std::move(environment);
  request.workdir = std::move(workdir);
  request.wants_output = true;
  return std::make_unique<CommandCheck>(loop, std::move(request));
}

}  // namespace swarm::runtime
