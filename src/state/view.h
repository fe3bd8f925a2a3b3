#pragma once

#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "state/change_set.h"
#include "state/table.h"

namespace swarm::state {

struct Tables;

// The store as it stands: what every decider reads. A view is a window, not a copy: it changes with
// the store, so never keep one, or a reference got from one, across a commit. On the loop of the
// store.
//
// All containers are ordered by id, so that what is computed from them does not depend on chance.
class View {
 public:
  explicit View(const Tables& tables) : tables_(&tables) {}

  // The number of the last transaction in this view.
  model::Position position() const;

  // Null before the swarm is made.
  const ClusterPtr& cluster() const;

  // Null when there is none of that id.
  NodePtr node(const model::NodeId& id) const;
  ServicePtr service(const model::ServiceId& id) const;
  ServicePtr service_by_name(std::string_view name) const;
  RevisionPtr revision(const model::ServiceId& service, model::RevisionNumber number) const;
  TaskPtr task(const model::TaskId& id) const;

  const NodeTable& nodes() const;
  const ServiceTable& services() const;
  const TaskTable& tasks() const;
  // Those of one service or node, none if it has none. Revisions are looked for at each call.
  std::map<model::RevisionNumber, RevisionPtr> revisions_of(const model::ServiceId& service) const;
  const TaskTable& tasks_of(const model::ServiceId& service) const;
  const TaskTable& tasks_on(const model::NodeId& node) const;
  // Of one service by slot; within a slot by id.
  std::map<model::Slot, std::vector<TaskPtr>> slots_of(const model::ServiceId& service) const;
  // Tasks that wait for a node: observed pending, desired at most running, no node yet.
  const TaskTable& unplaced_tasks() const;

  // The template a task was made from, or that tasks of a service should be made from. Checks that
  // it exists: a revision in use is never removed.
  const model::TaskTemplate& template_of(const model::Task& task) const;
  const model::TaskTemplate& template_of(const model::Service& service) const;

  // A person's reference: full id, then exact name (nodes: hostname), then a unique prefix of an
  // id. NOT_FOUND or INVALID_ARGUMENT ("is ambiguous (2 matches found)").
  Result<ServicePtr> find_service(std::string_view reference) const;
  Result<NodePtr> find_node(std::string_view reference) const;
  Result<TaskPtr> find_task(std::string_view reference) const;

 private:
  const model::TaskTemplate& stored_template(const model::ServiceId& service,
                                             model::RevisionNumber number) const;

  const Tables* tables_;
};

// Of the swarm as it is; the defaults before it is made.
model::HeartbeatTerms heartbeat_terms(const View& view);
// Until when the suspicion of a node may be about a connection that broke. After that its daemon is
// away, or it is down. Nothing when it is not suspect.
std::optional<WallTime> suspicion_end(const View& view, const model::Node& node);

// The revision of `service` that converged last, `except` left out; 0 when there is none. Where a
// rollback goes.
model::RevisionNumber last_converged(const View& view, const model::Service& service,
                                     model::RevisionNumber except = 0);

// The revisions of `service`, as it is to be stored, that something still needs: where it is, where
// a rollout comes from and goes to, what tasks run, and what a rollback may go to.
std::set<model::RevisionNumber> revisions_in_use(const View& view, const model::Service& service);

}  // namespace swarm::state
