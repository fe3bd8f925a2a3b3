#include "dispatcher/status_intake.h"

#include "dispatcher/node_records.h"
#include "store_fixture.h"

namespace swarm::dispatcher {
namespace {

struct StatusTest : StoreTest {
  std::unique_ptr<StatusIntake> intake;

  void SetUp() override {
    StoreTest::SetUp();
    add_node("n1");
    add_node("n2");
    add_task("t1", "n1");
    add_task("t2", "n1");
    intake = std::make_unique<StatusIntake>(loop, store);
    store.set_observer([this](model::Position, const std::vector<state::Change>& changes) {
      for (const state::Change& change : changes) {
        if (const auto* task = std::get_if<state::TaskPtr>(&change.before)) {
          const auto& after = std::get<state::TaskPtr>(change.after);
          intake->observe(after != nullptr ? after->id : (*task)->id, after.get());
        }
      }
    });
    commits = 0;
  }
  void receive(model::TaskReport given, const std::string& node = "n1") {
    intake->receive(NodeId(node), {std::move(given)});
  }
  void settle() { world.run_for(seconds(1)); }
};

TEST_F(StatusTest, ProgressIsRememberedButNotStored) {
  for (const TaskState state :
       {TaskState::accepted, TaskState::preparing, TaskState::ready, TaskState::starting}) {
    receive(report("t1", state, "on its way"));
    settle();
    ASSERT_NE(intake->soft(TaskId("t1")), nullptr);
    EXPECT_EQ(intake->soft(TaskId("t1"))->state, state);
  }
  EXPECT_EQ(commits, 0);
  EXPECT_EQ(observed("t1"), TaskState::assigned);
}

TEST_F(StatusTest, RunningAndItsEndAreStored) {
  receive(report("t1", TaskState::running));
  settle();
  EXPECT_EQ(observed("t1"), TaskState::running);
  model::TaskReport end = report("t1", TaskState::failed);
  end.status.error = "task: non-zero exit (1)";
  end.status.exit_code = 1;
  receive(end);
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status, end.status);
  EXPECT_EQ(intake->soft(TaskId("t1")), nullptr);
}

// Whoever was told that all runs may send an update at once, which goes by what is stored.
TEST_F(StatusTest, NobodyIsToldThatATaskRunsBeforeItIsStored) {
  receive(report("t1", TaskState::starting, "starting"));
  receive(report("t2", TaskState::running));
  settle();
  receive(report("t2", TaskState::failed));
  receive(report("t1", TaskState::running, "started"));
  EXPECT_EQ(observed("t1"), TaskState::assigned);
  ASSERT_NE(intake->soft(TaskId("t1")), nullptr);
  EXPECT_EQ(intake->soft(TaskId("t1"))->state, TaskState::starting);
  EXPECT_EQ(intake->soft(TaskId("t2")), nullptr);
  settle();
  EXPECT_EQ(observed("t1"), TaskState::running);
  EXPECT_EQ(intake->soft(TaskId("t1")), nullptr);
}

TEST_F(StatusTest, WhatIsStoredIsNotHiddenByAMessageFromBefore) {
  receive(report("t1", TaskState::running, "started"));
  settle();
  receive(report("t1", TaskState::running, "draining connections"));
  settle();
  model::TaskReport paused = report("t1", TaskState::running, "paused from outside");
  paused.status.wait = model::WaitReason::engine;
  receive(paused);
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status, paused.status);
  EXPECT_EQ(intake->soft(TaskId("t1")), nullptr);
}

TEST_F(StatusTest, AMessageAloneIsNotStored) {
  receive(report("t1", TaskState::running, "started"));
  settle();
  commits = 0;
  receive(report("t1", TaskState::running, "draining connections"));
  settle();
  EXPECT_EQ(commits, 0);
  EXPECT_EQ(intake->soft(TaskId("t1"))->message, "draining connections");
}

// A paused task serves nobody: whoever counts must know.
TEST_F(StatusTest, WhatARunningTaskWaitsForIsStored) {
  receive(report("t1", TaskState::running, "started"));
  settle();
  model::TaskReport paused = report("t1", TaskState::running, "paused from outside");
  paused.status.wait = model::WaitReason::engine;
  receive(paused);
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status, paused.status);
  receive(report("t1", TaskState::running, "started"));
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status.wait, model::WaitReason::none);
}

TEST_F(StatusTest, AnAgentThatHasNotHeardOfATakeOverCannotSayThatNewPortsAreServed) {
  model::TaskReport before = report("t1", TaskState::running, "started");
  before.status.revision = 1;
  receive(before);
  settle();
  receive(report("t2", TaskState::running));  // a batch is on its way
  model::Task taken = *store.view().task(TaskId("t1"));
  taken.revision = 2;
  taken.status.wait = model::WaitReason::health;
  model::Revision next = *store.view().revision(taken.service, 1);
  next.number = 2;
  next.meta = {};
  state::ChangeSet changes;
  changes.put(next);
  changes.put(taken);
  const Result<model::Position> taken_over = store.commit(std::move(changes), loop.wall_now());
  ASSERT_TRUE(taken_over.ok()) << taken_over.status();
  before.status.error = "said too late";
  receive(before);
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status.wait, model::WaitReason::health);
  model::TaskReport after = report("t1", TaskState::running, "started");
  after.status.revision = 2;
  receive(after);
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status.wait, model::WaitReason::none);
}

TEST_F(StatusTest, AnErrorOfARunningTaskIsStored) {
  receive(report("t1", TaskState::running));
  settle();
  model::TaskReport changed = report("t1", TaskState::running);
  changed.status.error = "the engine does not answer";
  receive(changed);
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status.error, "the engine does not answer");
}

TEST_F(StatusTest, TheFirstStatusAfterAQuietTimeIsStoredSoon) {
  receive(report("t1", TaskState::running));
  world.run_for(kStatusDelay);
  EXPECT_EQ(observed("t1"), TaskState::running);
}

TEST_F(StatusTest, StatusesThatFollowShareOneTransaction) {
  receive(report("t1", TaskState::running));
  world.run_for(kStatusDelay);
  commits = 0;
  for (int task = 3; task < 40; ++task) {
    add_task("t" + std::to_string(task), "n1");
  }
  commits = 0;
  for (int task = 2; task < 40; ++task) {
    receive(report("t" + std::to_string(task), TaskState::running));
    world.run_for(milliseconds(1));
  }
  world.run_for(kStatusInterval);
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(observed("t39"), TaskState::running);
}

TEST_F(StatusTest, AFullBatchIsStoredAtOnce) {
  std::vector<model::TaskReport> many;
  for (int task = 0; task < 500; ++task) {
    const std::string id = "m" + std::to_string(task);
    add_task(id, "n1");
    many.push_back(report(id, TaskState::running));
  }
  commits = 0;
  intake->receive(NodeId("n1"), many);
  EXPECT_EQ(commits, 1);
}

TEST_F(StatusTest, ObservedStatesNeverGoBack) {
  receive(report("t1", TaskState::running));
  settle();
  receive(report("t1", TaskState::starting));
  settle();
  EXPECT_EQ(observed("t1"), TaskState::running);
  EXPECT_EQ(intake->soft(TaskId("t1")), nullptr);
}

TEST_F(StatusTest, ALateStatusDoesNotReplaceOneThatWaits) {
  receive(report("t1", TaskState::failed));
  receive(report("t1", TaskState::running));
  settle();
  EXPECT_EQ(observed("t1"), TaskState::failed);
}

TEST_F(StatusTest, AnEndIsFinal) {
  receive(report("t1", TaskState::complete));
  settle();
  receive(report("t1", TaskState::failed));
  settle();
  EXPECT_EQ(observed("t1"), TaskState::complete);
}

TEST_F(StatusTest, ANodeSpeaksOnlyForItsOwnTasks) {
  receive(report("t1", TaskState::failed), "n2");
  receive(report("nobody", TaskState::failed));
  settle();
  EXPECT_EQ(commits, 0);
  EXPECT_EQ(intake->soft(TaskId("t1")), nullptr);
}

TEST_F(StatusTest, StatesThatAreNotForAgentsAreIgnored) {
  for (const TaskState state : {TaskState::fresh, TaskState::pending, TaskState::assigned,
                                TaskState::remove, TaskState::orphaned}) {
    receive(report("t1", state));
  }
  settle();
  EXPECT_EQ(commits, 0);
}

TEST_F(StatusTest, WhatTheStoreRefusesIsTriedAgain) {
  fill_backlog();
  receive(report("t1", TaskState::running));
  world.run_for(seconds(5));
  ASSERT_EQ(observed("t1"), TaskState::assigned);
  restore_quorum();
  world.run_for(kCommitRetryWait);
  EXPECT_EQ(observed("t1"), TaskState::running);
}

TEST_F(StatusTest, ARemovedTaskIsForgotten) {
  receive(report("t1", TaskState::preparing));
  receive(report("t2", TaskState::running));
  remove(TaskId("t1"));
  remove(TaskId("t2"));
  settle();
  EXPECT_EQ(intake->soft(TaskId("t1")), nullptr);
  EXPECT_EQ(store.view().task(TaskId("t2")), nullptr);
}

TEST_F(StatusTest, LongTextsAreCut) {
  model::TaskReport long_report = report("t1", TaskState::failed, std::string(100'000, 'm'));
  long_report.status.error = std::string(100'000, 'e');
  receive(long_report);
  settle();
  EXPECT_EQ(store.view().task(TaskId("t1"))->status.error.size(), kMaxStatusText);
  EXPECT_EQ(store.view().task(TaskId("t1"))->status.message.size(), kMaxStatusText);
}

TEST_F(StatusTest, AfterLeadershipIsLostNothingIsKept) {
  store.abandon();
  receive(report("t1", TaskState::running));
  settle();
  EXPECT_EQ(commits, 0);
}

}  // namespace
}  // namespace swarm::dispatcher
