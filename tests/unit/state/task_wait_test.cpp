#include "state/task_wait.h"

#include "support/decider_harness.h"

namespace swarm::state {
namespace {

using model::TaskState;
using model::WaitReason;

// A store that nobody decides on, with a task of "web" that has been told to stop on node w2 and
// one of the same slot that may or may not be held behind it.
class TaskWaits : public testing::Test, public test::DeciderHarness {
 protected:
  TaskWaits() : DeciderHarness(Deciders()) {
    model::Revision revision = test::revision_of(web_);
    revision.task.drain_timeout = seconds(60);
    revision.task.container.stop_grace_period = seconds(30);
    model::Task old = test::running_task(web_, "old", 1, "w2");
    old.desired = TaskState::shutdown;
    ChangeSet changes;
    changes.put(std::move(revision));
    changes.put(web_);
    changes.put(test::ready_node("w2"));
    changes.put(std::move(old));
    commit(std::move(changes));
  }

  // The next task of the slot, as it is stored now.
  model::Task next(const std::function<void(model::Task&)>& change) {
    model::Task task = test::pending_task(web_, "next", 1);
    task.status.at = now();
    change(task);
    put(std::move(task));
    return *view().task(model::TaskId("next"));
  }
  static void hold(model::Task& task) {
    task.desired = TaskState::ready;
    task.predecessor = model::TaskId("old");
    task.status.wait = WaitReason::predecessor;
  }
  std::optional<model::TaskWait> wait_of_stored(const model::Task& task) const {
    return wait_of(view(), task, task.status);
  }

  const model::Service web_ = test::service_of("web", 1);
};

TEST_F(TaskWaits, ForThePredecessorItsNodeAndTheLongestItMayTake) {
  const model::Task task = next(hold);
  EXPECT_EQ(wait_of_stored(task), (model::TaskWait{"waiting for web.1 on node host-w2 to stop",
                                                   task.meta.created_at, seconds(90)}));
}

// Its agent prepares a task that is held back, and knows of no wait.
TEST_F(TaskWaits, AreNotForgottenWhenTheTaskIsPrepared) {
  const model::Task task = next(hold);
  model::TaskStatus prepared = task.status;
  prepared.state = TaskState::ready;
  prepared.wait = WaitReason::none;
  prepared.message = "prepared";
  ASSERT_TRUE(wait_of(view(), task, prepared).has_value());
  EXPECT_EQ(wait_of(view(), task, prepared)->limit, seconds(90));
  prepared.state = TaskState::rejected;
  EXPECT_EQ(wait_of(view(), task, prepared), std::nullopt) << "it waits for nothing any more";
}

TEST_F(TaskWaits, ForARestartDelayAsLongAsThatIs) {
  const model::Task task = next([this](model::Task& held) {
    held.desired = TaskState::ready;
    held.status.wait = WaitReason::restart_delay;
    held.not_before = now() + microseconds(1) + seconds(40);
  });
  EXPECT_EQ(wait_of_stored(task),
            (model::TaskWait{"waiting for the restart delay", task.meta.created_at, seconds(40)}));
}

TEST_F(TaskWaits, GoOnWhenAHeldTaskCannotBePrepared) {
  const model::Task task = next([this](model::Task& held) {
    held.desired = TaskState::ready;
    held.status.wait = WaitReason::restart_delay;
    held.not_before = now() + microseconds(1) + seconds(40);
  });
  model::TaskStatus rejected = task.status;
  rejected.state = TaskState::rejected;
  rejected.wait = WaitReason::none;
  EXPECT_EQ(wait_of(view(), task, rejected),
            (model::TaskWait{"waiting for the restart delay", task.meta.created_at, seconds(40)}));
}

TEST_F(TaskWaits, ForAnythingElseAreWhatTheNewestStatusSays) {
  const model::Task task = next([](model::Task&) {});
  EXPECT_EQ(wait_of_stored(task), std::nullopt);
  model::TaskStatus starting = task.status;
  starting.state = TaskState::starting;
  starting.wait = WaitReason::health;
  starting.message = "started, not yet healthy";
  starting.at = now() - seconds(12);
  EXPECT_EQ(wait_of(view(), task, starting),
            (model::TaskWait{"started, not yet healthy", starting.at, {}}));
  starting.state = TaskState::running;
  starting.wait = WaitReason::engine;
  EXPECT_FALSE(is_set(wait_of(view(), task, starting)->since)) << "it ran before it waited";
}

TEST_F(TaskWaits, SurviveTheRecordOfThePredecessor) {
  const model::Task task = next(hold);
  ChangeSet changes;
  changes.remove(model::TaskId("old"));
  commit(std::move(changes));
  EXPECT_EQ(wait_of_stored(task)->what, "waiting for the task before it to stop");
}

}  // namespace
}  // namespace swarm::state
