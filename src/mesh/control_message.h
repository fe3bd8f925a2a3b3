#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "mesh/local_task.h"
#include "mesh/port_plan.h"
#include "model/agent_messages.h"

// What swarmd and the mesh of its node say over the control socket: messages of [length u32][kind
// u8] [fields]. `Hello`, `Welcome` and `Shutdown` keep their form for ever, so that swarmd and mesh
// of different versions can part in good order; all else may change with kControlProtocol.
namespace swarm::mesh {

inline constexpr uint32_t kControlProtocol = 4;
// A table of some 100,000 endpoints.
inline constexpr size_t kMaxControlMessage = 64 * 1024 * 1024;

// ---- swarmd -> mesh ----

// First on a connection. What this swarmd does not claim again is forgotten in time.
struct Hello {
  uint32_t protocol = kControlProtocol;
  model::SwarmId swarm;
  model::NodeId node;

  bool operator==(const Hello&) const = default;
};

struct Admit {
  LocalTask task;

  bool operator==(const Admit&) const = default;
};

// Answered by Retired when the task has no connection (left).
struct Retire {
  model::TaskId task;
  // Until it is told to stop whatever connections it has left. Zero: it takes nothing new at all.
  Duration timeout{};

  bool operator==(const Retire&) const = default;
};

// What the node proves itself with to other meshes; again when it is renewed. Kept in memory only.
struct Credentials {
  std::string ca_certificate;  // PEM: the trust root
  std::string certificate;     // PEM
  std::string key;             // PEM

  bool operator==(const Credentials&) const = default;
};

struct Shutdown {
  bool operator==(const Shutdown&) const = default;
};

// Answered by Pong: a mesh that is stopped keeps its sockets and serves nobody.
struct Ping {
  bool operator==(const Ping&) const = default;
};

// ---- mesh -> swarmd ----

struct Welcome {
  uint32_t protocol = kControlProtocol;
  // Of another swarm or node: of no use to this swarmd.
  model::SwarmId swarm;
  model::NodeId node;

  bool operator==(const Welcome&) const = default;
};

struct Retired {
  model::TaskId task;

  bool operator==(const Retired&) const = default;
};

// The whole current set. Sent after every table too: what that one wants is open now, but for
// these.
struct Problems {
  std::vector<PortIssue> issues;
  model::Position table = 0;  // the newest that was applied

  bool operator==(const Problems&) const = default;
};

struct Pong {
  bool operator==(const Pong&) const = default;
};

using ControlMessage = std::variant<Hello, model::MeshTable, Admit, Retire, Credentials, Shutdown,
                                    Welcome, Retired, Problems, Ping, Pong>;

// Without the length.
std::string encode_control(const ControlMessage& message);
Result<ControlMessage> decode_control(std::string_view bytes);

}  // namespace swarm::mesh
