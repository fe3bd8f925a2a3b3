#include <gmock/gmock.h>

#include "agent/agent.h"
#include "agent_fixture.h"

namespace swarm::agent {
namespace {

using model::TaskState;
using testing::Contains;
using testing::Not;

struct RestartTest : AgentTest {
  void run_one() {
    connect({assignment("t1")});
    ASSERT_TRUE(await("t1", TaskState::running));
    world.run_for(seconds(1));  // the record is saved
  }
};

TEST_F(RestartTest, ARunningTaskIsAdoptedAndNotRestarted) {
  run_one();
  const WallTime since = managers.reported(TaskId("t1"))->running_since;
  kill();
  world.run_for(minutes(1));
  EXPECT_TRUE(is_running("t1"));
  start();
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  EXPECT_EQ(managers.reported(TaskId("t1"))->running_since, since);
  EXPECT_EQ(engine.starts(TaskId("t1")), 1);
  EXPECT_THAT(journal, Not(Contains("retire t1")));
}

TEST_F(RestartTest, AnAdoptedTaskIsAdmittedBeforeAnyManagerAnswers) {
  run_one();
  kill();
  journal.clear();
  managers.set_unreachable(true);
  start();
  ASSERT_TRUE(world.run_until([&] { return !journal.empty(); }));
  EXPECT_EQ(journal.front(), "admit t1");
}

// The container itself knows only the ports that it was made for.
TEST_F(RestartTest, APortThatWasAddedIsServedAgainWithoutAGapForTheOthers) {
  run_one();
  model::Assignment taken_over = assignment("t1");
  taken_over.revision = 2;
  taken_over.spec.ports = {{.target = 80, .published = 8080}, {.target = 81, .published = 8081}};
  managers.send(complete_set(2, {taken_over}));
  const auto serves_both = [&] { return mesh.admitted().at(TaskId("t1")).size() == 2; };
  ASSERT_TRUE(world.run_until(serves_both));
  world.run_for(seconds(1));
  kill();
  journal.clear();
  start();
  connect({taken_over});
  ASSERT_TRUE(world.run_until([&] { return !journal.empty(); }));
  EXPECT_TRUE(serves_both()) << "the mesh, which has both, is not told of one";
  world.run_for(seconds(1));
  EXPECT_EQ(managers.reported(TaskId("t1"))->wait, model::WaitReason::none);
  EXPECT_THAT(journal, Not(Contains("retire t1")));
}

TEST_F(RestartTest, AnAdoptedTaskCanBeStopped) {
  run_one();
  kill();
  start();
  connect({assignment("t1", TaskState::shutdown)});
  ASSERT_TRUE(await("t1", TaskState::shutdown));
  EXPECT_FALSE(is_running("t1"));
}

TEST_F(RestartTest, WithoutItsRecordItAdoptsWhatTheManagerAssigns) {
  run_one();
  kill();
  store.load_status = absl::DataLossError("record is damaged");
  start();
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::running));
  EXPECT_EQ(engine.starts(TaskId("t1")), 1);
}

TEST_F(RestartTest, UnknownContainersRunOnUntilAManagerSaysWhatIsAssigned) {
  run_one();
  kill();
  store.record = {};
  managers.set_unreachable(true);
  start();
  world.run_for(hours(1));
  EXPECT_TRUE(is_running("t1"));
  managers.set_unreachable(false);
  connect({});
  ASSERT_TRUE(world.run_until([&] { return !engine.exists(TaskId("t1")); }));
}

TEST_F(RestartTest, ATaskThatIsNoLongerAssignedRunsUntilAManagerSaysSo) {
  run_one();
  kill();
  managers.set_unreachable(true);
  start();
  world.run_for(hours(1));
  EXPECT_TRUE(is_running("t1"));
  managers.set_unreachable(false);
  connect({assignment("t2")});
  ASSERT_TRUE(world.run_until([&] { return !engine.exists(TaskId("t1")); }));
  EXPECT_TRUE(await("t2", TaskState::running));
}

TEST_F(RestartTest, NothingNewIsStartedOnOldOrders) {
  connect({assignment("t1", TaskState::ready)});
  ASSERT_TRUE(await("t1", TaskState::ready));
  world.run_for(seconds(1));
  managers.send(changes(2, {assignment("t1"), assignment("t2")}));
  world.run_for(milliseconds(1));
  kill();
  store.record.assigned = {assignment("t1"), assignment("t2")};
  managers.set_unreachable(true);
  start();
  world.run_for(hours(1));
  EXPECT_TRUE(engine.running().empty());
  managers.set_unreachable(false);
  connect({assignment("t2")});
  ASSERT_TRUE(await("t2", TaskState::running));
  EXPECT_EQ(engine.starts(TaskId("t1")), 0);
}

TEST_F(RestartTest, ATaskThatEndedMeanwhileIsReportedWithItsExitCode) {
  run_one();
  kill();
  engine.crash(TaskId("t1"), 7);
  start();
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::failed));
  EXPECT_EQ(managers.reported(TaskId("t1"))->exit_code, 7);
  EXPECT_EQ(engine.starts(TaskId("t1")), 1);
  EXPECT_FALSE(mesh.is_admitted(TaskId("t1")));
}

TEST_F(RestartTest, ARejectedTaskIsNotTriedAgain) {
  script.prepare_status = absl::NotFoundError("no such image");
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::rejected));
  world.run_for(seconds(1));
  kill();
  journal.clear();
  start();
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::rejected));
  EXPECT_EQ(managers.reported(TaskId("t1"))->error, "no such image");
  EXPECT_TRUE(journal.empty());
}

TEST_F(RestartTest, AnInterruptedDrainGoesOn) {
  run_one();
  mesh.set_busy(true);
  managers.send(changes(2, {}, {TaskId("t1")}));
  world.run_for(seconds(2));
  kill();
  managers.set_unreachable(true);
  start();
  ASSERT_TRUE(world.run_until([&] { return !engine.exists(TaskId("t1")); }));
}

TEST_F(RestartTest, EventsOfUnclaimedContainersAreNotLost) {
  run_one();
  kill();
  store.record = {};
  start();
  world.run_for(seconds(1));
  engine.crash(TaskId("t1"), 5);
  world.run_for(seconds(1));
  connect({assignment("t1")});
  ASSERT_TRUE(await("t1", TaskState::failed));
  EXPECT_EQ(managers.reported(TaskId("t1"))->exit_code, 5);
}

// Kills the agent at any instant of the life of a few tasks, again and again, while orders change.
// Whatever happened: what is admitted runs, no task is started twice, observed states never go
// back, and in the end exactly what is wanted runs and nothing else exists.
class RestartProperty : public RestartTest, public testing::WithParamInterface<uint64_t> {
 public:
  Random chance{GetParam()};
  std::map<TaskId, TaskState> desired;
  std::map<TaskId, TaskState> seen;
  int made = 0;

  std::vector<model::Assignment> assigned() const {
    std::vector<model::Assignment> all;
    for (const auto& [task, state] : desired) {
      all.push_back(assignment(task.value(), state));
    }
    return all;
  }

  void give_orders() {
    if (desired.empty() || chance.chance(0.4)) {
      desired[TaskId("t" + std::to_string(++made))] =
          chance.chance(0.3) ? TaskState::ready : TaskState::running;
    } else {
      auto picked = desired.begin();
      std::advance(picked, chance.below(desired.size()));
      if (picked->second == TaskState::ready) {
        picked->second = TaskState::running;
      } else if (chance.chance(0.5)) {
        picked->second = TaskState::shutdown;
      } else {
        desired.erase(picked);
      }
    }
  }

  void check() {
    for (const auto& [task, addresses] : mesh.admitted()) {
      // While the agent is away nobody tells the mesh that a task has crashed.
      ASSERT_TRUE(agent == nullptr || engine.exists(task)) << task;
    }
    for (int task = 1; task <= made; ++task) {
      const TaskId id("t" + std::to_string(task));
      ASSERT_LE(engine.starts(id), 1) << id;
      if (const auto status = managers.reported(id)) {
        TaskState& last = seen.try_emplace(id, status->state).first->second;
        ASSERT_GE(status->state, last) << id;
        if (is_terminal(last)) {
          ASSERT_EQ(status->state, last) << id;
        }
        last = status->state;
      }
    }
  }
};

TEST_P(RestartProperty, ConvergesWhateverTheInstant) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  mesh.set_busy(chance.chance(0.3));
  for (int round = 0; round < 30; ++round) {
    give_orders();
    start();
    if (chance.chance(0.8)) {
      connect(assigned());
    }
    for (int step = 0; step < 4; ++step) {
      world.run_for(milliseconds(chance.below(150)));
      check();
      if (managers.has_stream() && agent->is_connected() && chance.chance(0.5)) {
        give_orders();
        managers.send(complete_set(1, assigned()));
      }
    }
    kill();
    world.run_for(milliseconds(chance.below(100)));
  }
  connect(assigned());
  world.run_for(minutes(5));
  check();
  for (int task = 1; task <= made; ++task) {
    const TaskId id("t" + std::to_string(task));
    const auto wanted = desired.find(id);
    if (wanted == desired.end()) {
      EXPECT_FALSE(engine.exists(id)) << id;
    } else if (wanted->second == TaskState::running) {
      EXPECT_TRUE(engine.running().contains(id) && mesh.is_admitted(id)) << id;
    } else {
      EXPECT_FALSE(engine.running().contains(id)) << id;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RestartProperty, testing::Range<uint64_t>(1, 31));

}  // namespace
}  // namespace swarm::agent
