#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "mesh/local_task.h"
#include "mesh/port_plan.h"
#include "mesh/task_drain.h"
#include "model/agent_messages.h"

namespace swarm::mesh {

// After an endpoint refused or did not answer, others are tried first for so long. Short: a sole
// replica that is just being replaced must be asked again soon.
inline constexpr Duration kAvoidAfterFailure = milliseconds(250);
// One that failed again and again is the last choice for so long after its last failure: what
// answers nobody, a container without its network for one, would else cost every few requests a
// wait.
inline constexpr Duration kDoubtAfterFailures = seconds(10);
inline constexpr int kFailuresToDoubt = 3;

// A client that finds no endpoint is held for so long before it fails, and host ports stay open for
// so long after their last task left: a stop-first update fits in between.
inline constexpr Duration kDefaultHold = seconds(10);

// Where one connection is to go.
struct Route {
  model::TaskId task;
  bool is_local = false;
  std::string address;  // of the task if it is local, else of the mesh of its node
  model::NodeId node;   // whose mesh that must be

  bool operator==(const Route&) const = default;
};

struct Choice {
  enum class Kind {
    route,
    wait,  // nobody can take it now
    gone,  // the service is not published any more
  };
  Kind kind = Kind::wait;
  Route route;
  // Of `wait`: when an endpoint that failed is worth another try. A change may come earlier.
  TimePoint retry_at = TimePoint::max();
};

// All the mesh of one node knows: the table of the swarm, the tasks of its own node, and how many
// connections each task has from or through here. Decides where connections go; moves no byte.
//
// The truth about a local task is its admission, at once and without the table; the truth about a
// remote one is what its node answers when asked. The table only says whom to ask, so it may be
// late.
//
// A local task: admitted -> retiring -> drained (no connection left) -> forgotten. A retiring task
// gets nothing new, unless its service has no other endpoint and its drain is open (TaskDrain).
// Pure: time and chance are handed in. Belongs to the loop of the mesh.
class Routing {
 public:
  Routing(model::NodeId self, Random random, Duration hold = kDefaultHold);

  // Ignored (false) when older than the one there.
  bool set_table(model::MeshTable table);
  const model::MeshTable& table() const { return table_; }
  // No part of the swarm any more: nothing is served to it, whatever its certificate says.
  bool is_removed(const model::NodeId& node) const;

  void admit(const LocalTask& task);
  // The task is to drain, for at most `timeout`. Of one that is not here nothing is known: it is
  // drained.
  void retire(const model::TaskId& task, TimePoint now, Duration timeout);
  // Opens or closes the drain of a retiring task, if that is due.
  TaskDrain::Change advance_drain(const model::TaskId& task, TimePoint now);
  // When that may be due for any; TimePoint::max() for never.
  TimePoint next_drain_change() const;
  // Whether a task that is not (or no longer) admitted has no connection.
  bool is_drained(const model::TaskId& task) const;
  void forget(const model::TaskId& task, TimePoint now);

  // A new swarmd claims by `admit` what it knows of; `retire_unclaimed` retires what it did not and
  // what the table does not name either, and returns it.
  void begin_claims();
  std::vector<model::TaskId> retire_unclaimed(TimePoint now);

  // The task with the fewest connections, by lot among equals.
  Choice choose(const RouteKey& key, TimePoint now);
  // At the owner: where the task answers, or why no connection may be made to it.
  Result<std::string> address_of(const model::TaskId& task, uint16_t target, TimePoint now) const;

  // Gives the number of the connection.
  uint64_t connection_opened(const model::TaskId& task);
  void connection_closed(const model::TaskId& task, uint64_t number);
  size_t connections(const model::TaskId& task) const;
  // The endpoint did not answer, or refused.
  void avoid(const model::TaskId& task, TimePoint now);
  // It has answered.
  void trust(const model::TaskId& task) { failures_.erase(task); }

  PortPlan plan(const std::map<uint16_t, OpenPort>& current, TimePoint now) const;
  // When `plan` may say something else although nothing happened; TimePoint::max() for never.
  TimePoint next_plan_change(TimePoint now) const;

 private:
  struct Local {
    LocalTask task;
    std::optional<TaskDrain> drain;  // set: retiring
    bool is_claimed = true;
  };
  struct Candidate {
    Route route;
    // 0: the table says ready. 1: it says draining, or does not know the task (yet, or any more).
    int rank = 0;
  };

  struct Failures {
    int in_a_row = 0;
    TimePoint last;
    TimePoint avoided_until;
  };
  bool is_doubtful(const model::TaskId& task, TimePoint now) const;

  const model::MeshService* find_service(const model::ServiceId& service) const;
  std::vector<Candidate> candidates(const model::MeshService& service, const RouteKey& key) const;
  // Retiring tasks of this node that may be used when there is no candidate.
  std::vector<Candidate> last_resorts(const model::MeshService& service, const RouteKey& key) const;
  bool is_avoided(const model::TaskId& task, TimePoint now) const;
  bool has_endpoint_besides(const Local& local, TimePoint now) const;
  bool serves_host(const model::ServiceId& service, TimePoint now) const;
  bool is_in_table(const Local& local) const;

  const model::NodeId self_;
  const Duration hold_;
  Random random_;
  model::MeshTable table_;
  std::map<model::ServiceId, size_t> service_index_;  // into table_.services
  std::map<model::TaskId, Local> local_;
  std::map<model::TaskId, size_t> connections_;  // no zeros
  uint64_t last_connection_ = 0;
  std::map<model::TaskId, Failures> failures_;
  std::map<model::ServiceId, TimePoint>
      last_local_;  // when a service's last task here was forgotten
};

}  // namespace swarm::mesh
