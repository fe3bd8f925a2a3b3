#include "runtime/docker/exec_check.h"

#include <utility>

#include "base/units.h"
#include "runtime/docker/container_json.h"

namespace swarm::runtime {

namespace {

class ExecCheck final : public Check {
 public:
  ExecCheck(AsioLoop& loop, EngineClient& engine, std::string container,
            std::vector<std::string> command)
      : loop_(loop),
        engine_(engine),
        container_(std::move(container)),
        command_(std::move(command)),
        deadline_(loop) {}

  void run(Duration timeout, Done done) override {
    done_ = std::move(done);
    if (is_running_) {
      loop_.post(anchor_.bind([this] { fail("its last run has not ended"); }));
      return;
    }
    is_running_ = true;
    deadline_.set_after(timeout,
                        [this, timeout] { fail("took longer than " + format_duration(timeout)); });
    engine_.exec(container_, command_, anchor_.bind([this](const Result<EngineClient::Ran>& ran) {
      is_running_ = false;
      judge(ran);
    }));
  }

 private:
  void judge(const Result<EngineClient::Ran>& ran) {
    if (!done_) {
      return;  // too late
    }
    if (!ran.ok()) {
      fail(std::string(ran.status().message()));
    } else if (ran->exit_code != 0) {
      fail(describe_failure(ran->exit_code, ran->output));
    } else {
      finish({.is_ok = true, .detail = ""});
    }
  }

  void fail(const std::string& why) { finish({.is_ok = false, .detail = "health check: " + why}); }

  void finish(Outcome outcome) {
    deadline_.cancel();
    auto done = std::exchange(done_, nullptr);
    done(std::move(outcome));  // may destroy this
  }

  AsioLoop& loop_;
  EngineClient& engine_;
  std::string container_;
  std::vector<std::string> command_;
  Timer deadline_;
  bool is_running_ = false;
  Done done_;
  Anchor anchor_;
};

}  // namespace

std::unique_ptr<Check> make_exec_check(AsioLoop& loop, EngineClient& engine, std::string container,
                                       std::vector<std::string> command) {
  return std::make_unique<ExecCheck>(loop, engine, std::move(container), std::move(command));
}

}  // namespace swarm::runtime
