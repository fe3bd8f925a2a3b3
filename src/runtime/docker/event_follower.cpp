#include "runtime/docker/event_follower.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace swarm::runtime {

namespace {

constexpr Duration kFirstDelay = milliseconds(100);
constexpr Duration kMaxDelay = seconds(2);

}  // namespace

EventFollower::EventFollower(AsioLoop& loop, EngineClient& engine, Callbacks callbacks)
    : engine_(engine), callbacks_(std::move(callbacks)), delay_(kFirstDelay), retry_(loop) {
  connect();
}

// The version is asked for each time: it may be another engine that answers now.
void EventFollower::connect() {
  engine_.ping(anchor_.bind([this](const Status& status) {
    if (!status.ok()) {
      on_end(status);
      return;
    }
    EngineClient::Watch watch;
    watch.on_open = anchor_.bind([this] {
      if (!std::exchange(was_open_, true)) {
        log::info("engine events followed");
      }
      delay_ = kFirstDelay;
      callbacks_.on_open();
    });
    watch.on_event = anchor_.bind([this](const EngineEvent& event) { callbacks_.on_event(event); });
    watch.on_end = anchor_.bind([this](const Status& end) { on_end(end); });
    engine_.watch(std::move(watch));
  }));
}

void EventFollower::on_end(const Status& status) {
  if (std::exchange(was_open_, false)) {
    log::warning("engine events lost", {{"error", status.message()}});
  }
  callbacks_.on_lost();
  retry_.set_after(delay_, [this] { connect(); });
  delay_ = std::min(delay_ * 2, kMaxDelay);
}

}  // namespace swarm::runtime
