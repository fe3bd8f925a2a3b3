#pragma once

#include <map>
#include <set>

#include "model/agent_messages.h"
#include "state/view.h"

namespace swarm::dispatcher {

// What one session has been told to run, and what of that is out of date. Values only.
//
// A node is assigned every task record that names it, once the scheduler has placed it and until
// the record is deleted; so the container of a finished task stays as long as its record, for its
// logs. A finished task is assigned with desired state shutdown at least and without what only
// running needs: an agent that has forgotten it never starts it again.
class AssignmentTracker {
 public:
  explicit AssignmentTracker(model::NodeId node) : node_(std::move(node)) {}

  // Everything; what was noted is settled by it.
  model::AssignmentSet complete(const state::View& view);

  // The task may have changed.
  void note(const model::TaskId& task) { noted_.insert(task); }
  size_t noted() const { return noted_.size(); }
  // What of the noted tasks the session does not know. Changes of status alone, which come from the
  // agent itself, are not echoed: the set may be empty.
  model::AssignmentSet changes(const state::View& view);

 private:
  void assign(const state::View& view, const model::Task& task, model::AssignmentSet* set);

  model::NodeId node_;
  // What the agent knows of a task and acts on.
  struct Sent {
    model::TaskState desired = model::TaskState::fresh;
    model::RevisionNumber revision = 0;

    bool operator==(const Sent&) const = default;
  };
  static Sent sent_of(const model::Task& task);

  std::map<model::TaskId, Sent> sent_;
  std::set<model::TaskId> noted_;
};

}  // namespace swarm::dispatcher
