#include "runtime/docker/engine_monitor.h"

#include <string>
#include <utility>

#include "base/log.h"

namespace swarm::runtime {

EngineMonitor::EngineMonitor(AsioLoop& loop, EngineClient& engine, Listener listener)
    : engine_(engine), listener_(std::move(listener)), timer_(loop) {
  check();
}

void EngineMonitor::check_now() {
  if (!is_checking_) {
    check();
  }
}

void EngineMonitor::check() {
  is_checking_ = true;
  timer_.cancel();
  engine_.ping(anchor_.bind([this](const Status& status) {
    is_checking_ = false;
    timer_.set_after(kPingPeriod, [this] { check(); });
    judge(status);
  }));
}

void EngineMonitor::judge(const Status& status) {
  agent::EngineCondition now{status.ok(), std::string(status.message())};
  if (now == condition_) {
    return;
  }
  const bool was_ok = condition_.is_ok;
  condition_ = std::move(now);
  if (!condition_.is_ok) {
    log::warning("engine does not answer", {{"error", condition_.reason}});
  } else if (!was_ok) {
    log::info("engine answers again");
  }
  listener_(condition_);
}

}  // namespace swarm::runtime
