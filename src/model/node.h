#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/service.h"

namespace swarm::model {

enum class Role : uint8_t { worker, manager };
enum class Availability : uint8_t { active, pause, drain };

// unknown: not heard of since the last leader change. suspect: its stream broke; gets no new tasks.
// down: lost; its tasks are replaced.
enum class NodeState : uint8_t { unknown, ready, suspect, down };

struct NodeSpec {
  Role role = Role::worker;  // what it should be
  Availability availability = Availability::active;
  Labels labels;

  bool operator==(const NodeSpec&) const = default;
};

// What a node says about itself.
struct NodeDescription {
  std::string hostname;
  std::string os;            // "linux"
  std::string architecture;  // "x86_64"
  Resources resources;
  std::string runtime;         // "docker" or "process"
  std::string engine_version;  // "20.10.24"
  Labels engine_labels;
  std::string version;       // of swarmd
  std::string mesh_address;  // "10.0.0.5:7946": where other meshes reach this node's mesh
  // Why the manager on this node does not take part in the Raft group: "raft state lost: ...".
  // Empty when it does, and on workers.
  std::string manager_refusal;

  bool operator==(const NodeDescription&) const = default;
};

inline constexpr std::string_view kProcessRuntime = "process";

// The tasks of the node are told their target ports when they start. A container, which has an
// address of its own, can be reached at any port.
inline bool has_fixed_ports(const NodeDescription& description) {
  return description.runtime == kProcessRuntime;
}

// identity: another machine uses the same node id; noticed by the leader, not by the node.
enum class ConditionKind : uint8_t { engine, mesh, disk, clock, descriptors, identity };

// Why a node cannot do all of its work. A node without conditions is well: a condition that no
// longer holds is removed.
struct NodeCondition {
  ConditionKind kind = ConditionKind::engine;
  std::string reason;  // "the engine does not answer: connection refused"
  WallTime since;      // by the leader's clock

  bool operator==(const NodeCondition&) const = default;
};

// A published port that a node should serve but does not.
struct ClosedPort {
  ServiceId service;
  PublishedPort port;
  std::string reason;  // "port 8080 is in use by another program"

  auto operator<=>(const ClosedPort&) const = default;
};

struct NodeStatus {
  NodeState state = NodeState::unknown;
  std::string message;
  std::string address;                    // as the manager sees it, without port
  WallTime at;                            // of the last change of state
  std::vector<NodeCondition> conditions;  // sorted by kind, at most one of each
  std::vector<ClosedPort> closed_ports;   // sorted
  // Its daemon said that it stops and comes back: its tasks are not replaced for longer.
  bool is_restarting = false;

  bool operator==(const NodeStatus&) const = default;
};

// Of nodes that are members of the Raft group.
struct ManagerStatus {
  MemberId member;
  std::string address;  // "10.0.0.5:2377": announced by the member itself

  bool operator==(const ManagerStatus&) const = default;
};

struct Node {
  NodeId id;
  Meta meta;
  NodeSpec spec;
  Role role = Role::worker;  // what its certificate says
  NodeDescription description;
  NodeStatus status;
  std::optional<ManagerStatus> manager;

  bool operator==(const Node&) const = default;
};

// What people call the node: its hostname, or its id until it has said that.
std::string display_name(const Node& node);

std::string_view to_string(Role role);
std::string_view to_string(Availability availability);
std::string_view to_string(NodeState state);
std::string_view to_string(ConditionKind kind);
// Null when the condition does not hold.
const NodeCondition* find_condition(const NodeStatus& status, ConditionKind kind);
std::optional<Role> parse_role(std::string_view text);
std::optional<Availability> parse_availability(std::string_view text);

}  // namespace swarm::model
