#include "dispatcher/node_records.h"

#include <utility>
#include <vector>

#include "base/log.h"

namespace swarm::dispatcher {

using model::NodeState;

namespace {

void cut(std::string& text) {
  if (text.size() > kMaxDescriptionText) {
    text.resize(kMaxDescriptionText);
  }
}

model::NodeDescription bounded(model::NodeDescription description) {
  for (std::string* text : {&description.hostname, &description.os, &description.architecture,
                            &description.runtime, &description.engine_version, &description.version,
                            &description.mesh_address, &description.manager_refusal}) {
    cut(*text);
  }
  model::Labels labels;
  for (auto [name, value] : description.engine_labels) {
    if (labels.size() == kMaxEngineLabels) {
      break;
    }
    if (name.size() <= kMaxDescriptionText) {
      cut(value);
      labels[name] = std::move(value);
    }
  }
  description.engine_labels = std::move(labels);
  return description;
}

// Since when it holds stays when only the machine is another one.
void apply_conflict(model::NodeStatus& status, const std::string& reason, WallTime now) {
  constexpr model::ConditionKind kKind = model::ConditionKind::identity;
  const model::NodeCondition* known = model::find_condition(status, kKind);
  const WallTime since = known != nullptr ? known->since : now;
  std::erase_if(status.conditions, [](const auto& condition) { return condition.kind == kKind; });
  if (!reason.empty()) {
    status.conditions.push_back({kKind, reason, since});  // sorted: it is the last kind
  }
}

}  // namespace

NodeRecords::NodeRecords(EventLoop& loop, state::Store& store)
    : loop_(loop), store_(store), retry_timer_(loop) {}

void NodeRecords::set_ready(const model::NodeId& node, model::NodeDescription description,
                            const std::string& address) {
  Wanted& wanted = wanted_[node];
  wanted.description = bounded(std::move(description));
  wanted.address = address;
  want_state(node, NodeState::ready, "");
  flush();
}

void NodeRecords::set_description(const model::NodeId& node, model::NodeDescription description) {
  wanted_[node].description = bounded(std::move(description));
  flush();
}

void NodeRecords::set_identity_conflict(const model::NodeId& node, std::string reason) {
  wanted_[node].conflict = std::move(reason);
  flush();
}

void NodeRecords::set_suspect(const model::NodeId& node) {
  want_state(node, NodeState::suspect, "connection lost");
  flush();
}

void NodeRecords::set_down(const std::vector<model::NodeId>& nodes) {
  for (const model::NodeId& node : nodes) {
    want_state(node, NodeState::down, "heartbeat failure");
  }
  flush();
}

void NodeRecords::want_state(const model::NodeId& node, NodeState state, std::string message) {
  Wanted& wanted = wanted_[node];
  wanted.state = state;
  wanted.message = std::move(message);
}

std::optional<model::Node> NodeRecords::changed(const model::Node& node,
                                                const Wanted& wanted) const {
  model::Node updated = node;
  if (wanted.description) {
    updated.description = *wanted.description;
  }
  if (!wanted.address.empty()) {
    updated.status.address = wanted.address;
  }
  const bool is_suspicion = wanted.state == NodeState::suspect;
  const bool is_allowed = !is_suspicion || node.status.state == NodeState::ready;
  if (wanted.state && is_allowed && node.status.state != *wanted.state) {
    updated.status.state = *wanted.state;
    updated.status.message = wanted.message;
    updated.status.at = loop_.wall_now();
  }
  if (wanted.conflict) {
    apply_conflict(updated.status, *wanted.conflict, loop_.wall_now());
  }
  if (updated == node) {
    return std::nullopt;
  }
  return updated;
}

void NodeRecords::flush() {
  retry_timer_.cancel();
  while (!wanted_.empty()) {
    state::ChangeSet changes;
    auto end = wanted_.begin();
    for (; end != wanted_.end() && changes.puts.size() < kMaxNodesPerCommit; ++end) {
      const state::NodePtr node = store_.view().node(end->first);
      if (node == nullptr) {
        continue;  // removed meanwhile
      }
      if (std::optional<model::Node> updated = changed(*node, end->second)) {
        log::info("node state written",
                  {{"node", updated->id.value()}, {"state", to_string(updated->status.state)}});
        changes.put(*std::move(updated));
      }
    }
    const Result<model::Position> position = store_.commit(std::move(changes), loop_.wall_now());
    if (!position.ok() && position.status().code() != absl::StatusCode::kFailedPrecondition) {
      log::warning("node state not stored, will retry", {{"error", position.status().message()}});
      retry_timer_.set_after(kCommitRetryWait, [this] { flush(); });
      return;
    }
    // Not leading any more: the next leader finds out for itself.
    wanted_.erase(wanted_.begin(), end);
  }
}

}  // namespace swarm::dispatcher
