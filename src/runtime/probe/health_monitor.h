#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"
#include "model/service.h"
#include "runtime/probe/check.h"

namespace swarm::runtime {

// How often to look, and when to give up. Not for Docker's own checks: the engine runs those.
struct HealthPolicy {
  Duration interval = seconds(10);
  Duration timeout = seconds(5);
  // Failures in this first time are not held against the task; a success ends it.
  Duration start_period{};
  int32_t retries = 3;  // failures in a row; 0: it is never given up
  // The longest wait between two checks until the first success.
  Duration max_eager_delay = milliseconds(500);
  bool ends_when_healthy = false;
};

// The policy of a health check: what it sets, and the defaults above for the rest.
HealthPolicy health_policy(const model::HealthCheck& check);

// The policy for a task without a check of its own: it works once its published ports accept
// connections. Never gives up: the deadline of the rollout does.
HealthPolicy readiness_policy();

// The policy for looking with a check that costs more than a connection: a command in a container.
HealthPolicy command_readiness_policy(Duration timeout);

// Runs one check again and again and says once that the task works, and once that it no longer
// does.
//
// Until the first success it looks often (50 ms, growing to the policy's bound), so that a task
// that starts fast counts fast; but failures count at most one an interval, so that this haste
// never condemns a task sooner than the interval and the retries say.
class HealthMonitor {
 public:
  struct Events {
    absl::AnyInvocable<void()> on_healthy;
    absl::AnyInvocable<void(std::string why)> on_unhealthy;  // the last word: no check follows
    // Until it is healthy: what the check complains of, when that has changed. May be empty.
    absl::AnyInvocable<void(const std::string& why)> on_waiting;
  };

  // The first check is run at once. `is_healthy` says that it worked before (a task found again):
  // on_healthy is then not called.
  HealthMonitor(EventLoop& loop, std::unique_ptr<Check> check, HealthPolicy policy, Events events,
                bool is_healthy = false);

 private:
  void run();
  void judge(Check::Outcome outcome);
  void count_failure(const std::string& why);
  void tell_waiting(const std::string& why);
  Duration next_delay();

  EventLoop& loop_;
  HealthPolicy policy_;
  Events events_;
  bool is_healthy_;
  TimePoint started_at_;
  TimePoint last_counted_;
  Duration eager_delay_;
  std::string waits_for_;
  int32_t failures_ = 0;
  Timer timer_;
  std::unique_ptr<Check> check_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
