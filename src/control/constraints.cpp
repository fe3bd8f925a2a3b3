#include "control/constraints.h"

#include <algorithm>
#include <utility>

#include "model/validate.h"

namespace swarm::control {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

Result<model::NodeId> find_by_id(const state::View& view, const std::string& constraint,
                                 const std::string& text) {
  const std::string prefix = lower(text);
  if (view.node(model::NodeId(prefix)) != nullptr) {
    return model::NodeId(prefix);
  }
  std::vector<model::NodeId> matches;
  for (const auto& [id, node] : view.nodes()) {
    if (!prefix.empty() && id.value().starts_with(prefix)) {
      matches.push_back(id);
    }
  }
  if (matches.size() != 1) {
    return absl::InvalidArgumentError(
        "constraint \"" + constraint +
        (matches.empty()
             ? "\" names no node of this swarm"
             : "\" is ambiguous (" + std::to_string(matches.size()) + " matches found)") +
        ": use an ID from `swarmctl node ls`, or node.hostname");
  }
  return matches.front();
}

}  // namespace

void normalise_constraints(std::vector<std::string>* constraints) {
  for (std::string& text : *constraints) {
    if (const Result<model::Constraint> parsed = model::parse_constraint(text); parsed.ok()) {
      text = model::format_constraint(*parsed);
    }
  }
  std::sort(constraints->begin(), constraints->end());
  constraints->erase(std::unique(constraints->begin(), constraints->end()), constraints->end());
}

Status resolve_node_ids(const state::View& view, const std::vector<std::string>& stored,
                        model::TaskTemplate* task) {
  if (task->placement->constraints.empty()) {
    return absl::OkStatus();
  }
  std::vector<std::string>& constraints = task->placement.edit().constraints;
  for (std::string& text : constraints) {
    SWARM_ASSIGN_OR_RETURN(model::Constraint constraint, model::parse_constraint(text));
    if (constraint.key != "node.id" ||
        std::find(stored.begin(), stored.end(), text) != stored.end()) {
      continue;
    }
    SWARM_ASSIGN_OR_RETURN(const model::NodeId id, find_by_id(view, text, constraint.value));
    constraint.value = id.value();
    text = model::format_constraint(constraint);
  }
  normalise_constraints(&constraints);
  return absl::OkStatus();
}

}  // namespace swarm::control
