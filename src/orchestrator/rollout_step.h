#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/plan.h"
#include "orchestrator/slots.h"

namespace swarm::orchestrator {

// One step of a service's moving rollout: from the tasks as they are to the changes that are due.
//
// A slot is
//   done       a task at the new revision runs, or has completed as it may
//   in flight  its new task was made by this rollout and does not run yet, or runs for less than
//              the delay (within the trial: the monitor window); at most `parallelism` slots are
//   failed     its new task ended before it ran or within the monitor window, or did not run by the
//              progress deadline. Counted once; no longer in flight, and not moved again: its task
//              is left to the restart policy
//   mixed      has a task at the new revision that is not of this rollout, because it was there
//              before, and one at another: who serves it is not settled until the first runs
//   unproven   has a task at the new revision from before that runs, but not for the monitor window
//              yet: it holds a place, as if this rollout had made it
//   to move    none of these; slots that serve nothing first, then by number. A task at the new
//              revision from before that kept failing is replaced: the rollout answers for it
// The first slots are the rollout's trial: until they have run for the whole monitor window no
// other slot leaves the revision it is at, and none of their old tasks stops (takeover.h). So a
// version that dies within the window takes at most `parallelism` slots along. When failed /
// slots_changed exceeds the policy's ratio, the failure action is taken: pause, or (never from
// within a rollback) rollback. When no slot is to move, mixed or in flight, the rollout is watched
// for one more monitor window after the last slot ran, and is then completed; a rollback only if
// the slots that failed run, too.
//
// An automatic rollback goes to the revision that converged last; no revision is lost. Tasks that
// the new revision would make just like that are not replaced (restamp.h).
class RolloutStep {
 public:
  RolloutStep(const model::Service& service, Plan& plan);

  // Returns the earliest deadline it waits for.
  std::optional<WallTime> run();

 private:
  struct Progress {
    const SlotTasks* slot = nullptr;
    bool is_occupied = false;             // else it is no replica, but its records may tell
    const model::Task* target = nullptr;  // newest wanted task at the new revision
    bool is_unproven = false;             // the target is (rollout_watch.h)
    bool is_mixed = false;                // besides a target, a task at another revision lives
    bool is_finished = false;             // completed there, and may
    bool is_failed = false;
  };

  Progress look_at(const SlotTasks& slot) const;
  bool is_to_move(const Progress& progress) const;
  // When a running task at the new revision gives up its place; nothing when it holds none.
  std::optional<WallTime> holds_place_until(const Progress& progress) const;
  // Holds its place at `now`. Notes when it gives it up.
  bool is_in_flight(const Progress& progress);

  // Fills in slots_changed at the first step.
  void count_slots();
  // True when the failure action was taken: nothing else is done then.
  bool judge_failures();
  // What failed, and how the reference words it.
  struct Failure {
    std::string summary;  // "due to failure or early termination of task <id>"
    std::string cause;    // "web.3 on node w2: task: non-zero exit (1)"
  };
  std::optional<Failure> new_failure(const Progress& progress);
  std::optional<Failure> missed_deadline(const Progress& progress);
  void take_action(const Failure& failure);
  void pause(const Failure& failure, const std::string& what);
  void roll_back(const Failure& failure, model::RevisionNumber target);
  // The failed slots of a rollback that goes on regardless must run in the end, too.
  bool waits_for_failed(const Progress& progress);

  // Notes that as many slots as the trial has places have run for the monitor window.
  void pass_trial();
  Duration holds_place_for() const;

  void move_slots();
  void move(const SlotTasks& slot);
  void retire_finished();
  void complete_if_done();
  void complete(bool do_all_run);

  model::Rollout& rollout() { return plan_.edit(service_).rollout.edit(); }
  void wait_until(WallTime deadline);

  const model::Service& service_;
  Plan& plan_;
  const model::UpdatePolicy& policy_;
  const bool has_converged_;  // what the new revision makes
  std::vector<SlotTasks> slots_;
  std::vector<Progress> progress_;
  std::optional<WallTime> deadline_;
};

}  // namespace swarm::orchestrator
