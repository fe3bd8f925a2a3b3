#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/ids.h"
#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

// What travels on the stream between an agent and the dispatcher of the leader. In model, because
// neither side may include the other.
namespace swarm::model {

// ---- up ----

struct AgentHello {
  NodeDescription description;
  // Of a session that broke, if the agent had one: only for the log.
  SessionId last_session;
  // Random for each process of the daemon: tells two machines with a copied state folder apart.
  std::string instance;
};

struct AgentHeartbeat {
  Position applied = 0;  // the newest assignment position the agent has acted on
  WallTime sent_at;      // by the node's clock
};

// What is wrong with the node as it sees it itself. Replaces what was reported before; the leader
// fills in since when a condition holds.
// More closed ports than this have one cause, which the first ones tell: none beyond is said, nor
// taken.
inline constexpr size_t kMaxClosedPorts = 64;

struct NodeReport {
  std::vector<NodeCondition> conditions;
  std::vector<ClosedPort> closed_ports;
  // The newest mesh table the ports of which are open on the node, but for those that are closed.
  Position ports_as_of = 0;

  bool operator==(const NodeReport&) const = default;
};

// The daemon stops and will be back; tasks and mesh go on meanwhile. The last of a session.
struct AgentRestarting {};

// The status of one task as the agent sees it. A report replaces what was reported before.
struct TaskReport {
  TaskId task;
  TaskStatus status;
};

using AgentUpMessage = std::variant<AgentHello, AgentHeartbeat, std::vector<TaskReport>,
                                    NodeDescription, NodeReport, AgentRestarting>;

// ---- down ----

// Everything an agent needs to run one task.
struct Assignment {
  TaskId task;
  ServiceId service;
  std::string service_name;
  Slot slot = 0;
  RevisionNumber revision = 0;
  TaskState desired = TaskState::running;
  TaskTemplate spec;

  bool operator==(const Assignment&) const = default;
};

// The first of a session is complete: what it does not name is not assigned. The others are
// changes.
struct AssignmentSet {
  bool is_complete = false;
  Position position = 0;
  std::vector<Assignment> assigned;  // new, or with another desired state
  std::vector<TaskId> removed;       // records are gone: stop if needed, then forget
};

enum class EndpointState : uint8_t { ready, draining };

// One task that serves a published port somewhere in the swarm.
struct Endpoint {
  TaskId task;
  NodeId node;
  std::string mesh_address;  // of the node's mesh; other nodes go through it
  EndpointState state = EndpointState::ready;

  bool operator==(const Endpoint&) const = default;
};

struct MeshService {
  ServiceId service;
  std::string name;
  std::vector<PublishedPort> ports;
  std::vector<Endpoint> endpoints;  // sorted by task

  bool operator==(const MeshService&) const = default;
};

// All published services, as of `position`, and who is no part of the swarm any more though its
// certificate still says so. An older table never replaces a newer one.
struct MeshTable {
  Position position = 0;
  std::vector<MeshService> services;  // sorted by id
  std::vector<NodeId> removed_nodes;  // sorted

  bool operator==(const MeshTable&) const = default;
};

// The managers an agent may turn to, "host:2377" each, the leader first.
struct ManagerList {
  std::vector<std::string> addresses;
};

struct SessionAccepted {
  SessionId session;
  Duration heartbeat_period{};
  // How often it may be missed before the node is lost.
  uint32_t heartbeat_misses = 3;
  Role role =
      Role::worker;  // what the node should be: differs from its certificate after promotion
};

// The node was promoted or demoted: get a certificate for this role and act on it.
struct RoleChange {
  Role role = Role::worker;
};

using AgentDownMessage =
    std::variant<SessionAccepted, AssignmentSet, MeshTable, ManagerList, RoleChange>;

}  // namespace swarm::model
