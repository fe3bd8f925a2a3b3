#include "runtime/probe/health_monitor.h"

#include <algorithm>
#include <utility>

namespace swarm::runtime {

namespace {

constexpr Duration kFirstDelay = milliseconds(50);
// A command in a container takes the engine some 50 ms of a CPU.
constexpr Duration kMaxCommandDelay = seconds(2);
// A connection to a neighbour takes well under a millisecond; one that takes longer is lost in a
// backlog that the next try may find empty.
constexpr Duration kReadinessTimeout = seconds(2);

}  // namespace

HealthPolicy health_policy(const model::HealthCheck& check) {
  HealthPolicy policy;
  const auto take = [](Duration& value, Duration given) {
    if (given > Duration::zero()) {
      value = given;
    }
  };
  take(policy.interval, check.interval);
  take(policy.timeout, check.timeout);
  take(policy.start_period, check.start_period);
  if (check.retries > 0) {
    policy.retries = check.retries;
  }
  return policy;
}

HealthPolicy readiness_policy() {
  HealthPolicy policy;
  policy.interval = policy.max_eager_delay;
  policy.timeout = kReadinessTimeout;
  policy.retries = 0;
  policy.ends_when_healthy = true;
  return policy;
}

HealthPolicy command_readiness_policy(Duration timeout) {
  HealthPolicy policy = readiness_policy();
  policy.interval = kMaxCommandDelay;
  policy.max_eager_delay = kMaxCommandDelay;
  policy.timeout = timeout;
  return policy;
}

HealthMonitor::HealthMonitor(EventLoop& loop, std::unique_ptr<Check> check, HealthPolicy policy,
                             Events events, bool is_healthy)
    : loop_(loop),
      policy_(policy),
      events_(std::move(events)),
      is_healthy_(is_healthy),
      started_at_(loop.now()),
      last_counted_(loop.now()),
      eager_delay_(kFirstDelay),
      timer_(loop),
      check_(std::move(check)) {
  run();
}

void HealthMonitor::run() {
  check_->run(policy_.timeout,
              anchor_.bind([this](Check::Outcome outcome) { judge(std::move(outcome)); }));
}

void HealthMonitor::judge(Check::Outcome outcome) {
  if (!outcome.is_ok) {
    count_failure(outcome.detail);
    return;
  }
  failures_ = 0;
  const bool is_news = !std::exchange(is_healthy_, true);
  if (!policy_.ends_when_healthy) {
    timer_.set_after(next_delay(), [this] { run(); });
  }
  if (is_news) {
    auto on_healthy = std::exchange(events_.on_healthy, nullptr);
    on_healthy();  // may destroy this
  }
}

void HealthMonitor::count_failure(const std::string& why) {
  const TimePoint now = loop_.now();
  const bool is_in_start_period = !is_healthy_ && now - started_at_ < policy_.start_period;
  const bool is_due = is_healthy_ || now - last_counted_ >= policy_.interval;
  if (!is_in_start_period && is_due && policy_.retries > 0) {
    last_counted_ = now;
    if (++failures_ >= policy_.retries) {
      auto on_unhealthy = std::exchange(events_.on_unhealthy, nullptr);
      on_unhealthy(why);  // may destroy this
      return;
    }
  }
  timer_.set_after(next_delay(), [this] { run(); });
  tell_waiting(why);
}

void HealthMonitor::tell_waiting(const std::string& why) {
  if (!is_healthy_ && events_.on_waiting && waits_for_ != why) {
    waits_for_ = why;
    events_.on_waiting(why);  // may destroy this
  }
}

Duration HealthMonitor::next_delay() {
  if (is_healthy_) {
    return policy_.interval;
  }
  const Duration delay = std::min(eager_delay_, policy_.interval);
  eager_delay_ = std::min(eager_delay_ * 2, policy_.max_eager_delay);
  return delay;
}

}  // namespace swarm::runtime
