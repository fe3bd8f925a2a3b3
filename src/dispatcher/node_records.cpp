#include "dispatcher/node_records.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/log.h"

namespace swarm::dispatcher {

using model::NodeState;

namespace {

void cut(std::string& text, size_t limit = kMaxDescriptionText) {
  if (text.size() > limit) {
    text.resize(limit);
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

model::NodeReport bounded(model::NodeReport report) {
  for (model::NodeCondition& condition : report.conditions) {
    cut(condition.reason, kMaxReason);
  }
  if (report.closed_ports.size() > model::kMaxClosedPorts) {
    report.closed_ports.resize(model::kMaxClosedPorts);
  }
  for (model::ClosedPort& closed : report.closed_ports) {
    cut(closed.reason, kMaxReason);
  }
  std::sort(report.closed_ports.begin(), report.closed_ports.end());
  return report;
}

// What the leader finds out itself, of which a report says nothing.
bool is_found_by_leader(model::ConditionKind kind) {
  return kind == model::ConditionKind::clock || kind == model::ConditionKind::identity;
}

// The conditions as they are known now, each with when it began: as it is stored, or now. An
// empty reason: all is well.
std::vector<model::NodeCondition> conditions_of(const model::NodeStatus& stored,
                                                const std::optional<model::NodeReport>& report,
                                                const std::optional<std::string>& clock,
                                                const std::optional<std::string>& conflict,
                                                WallTime now) {
  std::map<model::ConditionKind, std::string> reasons;
  for (const model::NodeCondition& condition : stored.conditions) {
    if (!report || is_found_by_leader(condition.kind)) {
      reasons[condition.kind] = condition.reason;
    }
  }
  if (report) {
    for (const model::NodeCondition& condition : report->conditions) {
      if (!is_found_by_leader(condition.kind)) {
        reasons[condition.kind] = condition.reason;
      }
    }
  }
  if (clock) reasons[model::ConditionKind::clock] = *clock;
  if (conflict) reasons[model::ConditionKind::identity] = *conflict;
  std::vector<model::NodeCondition> conditions;
  for (const auto& [kind, reason] : reasons) {
    if (reason.empty()) continue;
    const model::NodeCondition* known = model::find_condition(stored, kind);
    conditions.push_back({kind, reason, known != nullptr ? known->since : now});
  }
  return conditions;
}

// An agent whose engine has not answered since its start knows less of the node than is stored.
model::NodeDescription with_known_engine(model::NodeDescription description,
                                         const model::NodeDescription& stored) {
  const bool is_known = description.resources != model::Resources{} ||
                        !description.engine_version.empty() || !description.engine_labels.empty();
  if (!is_known && description.runtime == stored.runtime) {
    description.resources = stored.resources;
    description.engine_version = stored.engine_version;
    description.engine_labels = stored.engine_labels;
  }
  return description;
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

void NodeRecords::set_report(const model::NodeId& node, model::NodeReport report) {
  wanted_[node].report = bounded(std::move(report));
  flush();
}

void NodeRecords::set_clock(const model::NodeId& node, std::string reason) {
  wanted_[node].clock = std::move(reason);
  flush();
}

void NodeRecords::set_suspect(const model::NodeId& node, std::string message) {
  want_state(node, NodeState::suspect, std::move(message));
  flush();
}

void NodeRecords::set_restarting(const model::NodeId& node) {
  want_state(node, NodeState::suspect, "the daemon is restarting");
  wanted_[node].is_restarting = true;
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
  wanted.is_restarting = false;
}

namespace {

// Only a node that is ready can be suspected; why it is may change.
bool may_become(const model::NodeStatus& status, NodeState state, const std::string& message) {
  if (state == NodeState::suspect) {
    return status.state == NodeState::ready ||
           (status.state == NodeState::suspect && status.message != message);
  }
  return status.state != state;
}

}  // namespace

void NodeRecords::apply_state(const Wanted& wanted, WallTime now, model::NodeStatus& status) {
  if (!wanted.state || !may_become(status, *wanted.state, wanted.message)) {
    return;
  }
  if (status.state != *wanted.state) {
    status.at = now;
  }
  status.state = *wanted.state;
  status.message = wanted.message;
  status.is_restarting =
      wanted.is_restarting || (status.is_restarting && status.state == NodeState::suspect);
}

std::optional<model::Node> NodeRecords::changed(const model::Node& node,
                                                const Wanted& wanted) const {
  model::Node updated = node;
  if (wanted.description) {
    updated.description = with_known_engine(*wanted.description, node.description);
  }
  if (wanted.report) {
    updated.status.closed_ports = wanted.report->closed_ports;
  }
  updated.status.conditions =
      conditions_of(node.status, wanted.report, wanted.clock, wanted.conflict, loop_.wall_now());
  if (!wanted.address.empty()) {
    updated.status.address = wanted.address;
  }
  apply_state(wanted, loop_.wall_now(), updated.status);
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
