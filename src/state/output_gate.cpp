#include "state/output_gate.h"

#include <utility>

#include "base/check.h"

namespace swarm::state {

void OutputGate::when_committed(model::Position position, Output output) {
  if (!closed_.ok()) {
    output(closed_);
    return;
  }
  if (held_.empty() && position <= committed_) {
    output(absl::OkStatus());
    return;
  }
  held_.push_back({position, std::move(output)});
}

void OutputGate::advance(model::Position position) {
  if (!closed_.ok() || position <= committed_) {
    return;
  }
  committed_ = position;
  // An output may close the gate or add to it: look at the front anew each time.
  while (!held_.empty() && held_.front().position <= committed_) {
    Output output = std::move(held_.front().output);
    held_.pop_front();
    output(absl::OkStatus());
  }
}

void OutputGate::close(const Status& reason) {
  SWARM_CHECK(!reason.ok(), "a gate is closed for a reason, saw OK");
  closed_ = reason;
  std::deque<Held> dropped = std::move(held_);
  held_.clear();
  for (Held& held : dropped) {
    held.output(reason);
  }
}

void OutputGate::open(model::Position position) {
  SWARM_CHECK(held_.empty(),
              "a gate that opens holds nothing, saw " + std::to_string(held_.size()) + " outputs");
  closed_ = absl::OkStatus();
  committed_ = position;
}

}  // namespace swarm::state
