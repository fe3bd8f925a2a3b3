#pragma once

#include "absl/functional/any_invocable.h"
#include "agent/executor.h"
#include "base/asio_loop.h"
#include "runtime/docker/engine_client.h"

namespace swarm::runtime {

// How often an engine is asked whether it is there. With EngineClient's limit for the answer, one
// that hangs is noticed within seven seconds; one that is gone, at once.
inline constexpr Duration kPingPeriod = seconds(2);

// Asks the engine again and again whether it answers, and tells every change. On the loop.
class EngineMonitor {
 public:
  using Listener = absl::AnyInvocable<void(const agent::EngineCondition&)>;

  EngineMonitor(AsioLoop& loop, EngineClient& engine, Listener listener);

  // Something went wrong: not only after the period.
  void check_now();

 private:
  void check();
  void judge(const Status& status);

  EngineClient& engine_;
  Listener listener_;
  agent::EngineCondition condition_;
  bool is_checking_ = false;
  Timer timer_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
