#include "runtime/fake/fake_executor.h"

#include <gtest/gtest.h>

#include "support/simulated_loop.h"

namespace swarm::runtime {
namespace {

using agent::ExecutorEvent;
using model::TaskId;

struct FakeExecutorTest : testing::Test {
  test::World world;
  test::SimulatedLoop loop{world};
  FakeScript script;
  FakeExecutor engine{loop, Random(1), [this](const auto&, const auto&) { return script; }};
  std::vector<ExecutorEvent::Kind> events;
  const TaskId task{"t1"};
  agent::TaskLabels labels;

  void SetUp() override {
    labels.swarm = model::SwarmId("s");
    labels.node = model::NodeId("n");
    labels.task = task;
    engine.set_listener(
        [this](const TaskId&, const ExecutorEvent& event) { events.push_back(event.kind); });
  }
  Status prepare() {
    std::optional<Status> answer;
    engine.prepare(labels, {}, [&](const Result<std::string>& id) { answer = id.status(); });
    EXPECT_TRUE(world.run_until([&] { return answer.has_value(); }));
    return *answer;
  }
  Status call(void (FakeExecutor::*method)(const TaskId&, agent::Executor::Done)) {
    std::optional<Status> answer;
    (engine.*method)(task, [&](Status status) { answer = std::move(status); });
    EXPECT_TRUE(world.run_until([&] { return answer.has_value(); }));
    return *answer;
  }
  Status stop(Duration grace = seconds(10)) {
    std::optional<Status> answer;
    engine.stop(task, grace, [&](Status status) { answer = std::move(status); });
    EXPECT_TRUE(world.run_until([&] { return answer.has_value(); }));
    return *answer;
  }
  std::vector<agent::ExistingTask> list() {
    std::vector<agent::ExistingTask> found;
    engine.list(labels.swarm, labels.node, [&](auto listed) { found = *std::move(listed); });
    world.settle();
    return found;
  }
};

TEST_F(FakeExecutorTest, ATaskIsPreparedStartedHealthyStoppedAndRemoved) {
  EXPECT_TRUE(prepare().ok());
  EXPECT_TRUE(call(&FakeExecutor::start).ok());
  EXPECT_TRUE(engine.running().contains(task));
  world.run_for(seconds(1));
  EXPECT_TRUE(stop().ok());
  EXPECT_EQ(events, (std::vector{ExecutorEvent::Kind::healthy, ExecutorEvent::Kind::exited}));
  EXPECT_TRUE(call(&FakeExecutor::remove).ok());
  EXPECT_TRUE(list().empty());
}

TEST_F(FakeExecutorTest, ListsWhatExistsAsItIs) {
  ASSERT_TRUE(prepare().ok());
  ASSERT_EQ(list().size(), 1u);
  EXPECT_EQ(list()[0].state, agent::ExistingTask::State::created);
  ASSERT_TRUE(call(&FakeExecutor::start).ok());
  world.run_for(seconds(1));
  EXPECT_TRUE(list()[0].is_healthy);
  engine.crash(task, 4);
  EXPECT_EQ(list()[0].state, agent::ExistingTask::State::exited);
  EXPECT_EQ(list()[0].exit_code, 4);
}

TEST_F(FakeExecutorTest, ContainersOutliveTheirClient) {
  ASSERT_TRUE(prepare().ok());
  ASSERT_TRUE(call(&FakeExecutor::start).ok());
  engine.set_listener([](const TaskId&, const ExecutorEvent&) {});
  EXPECT_TRUE(engine.running().contains(task));
}

TEST_F(FakeExecutorTest, ACallInFlightTakesEffectOrNotWhenItsClientGoes) {
  int started = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    FakeExecutor other(loop, Random(seed));
    bool answered = false;
    other.prepare(labels, {}, [&](const auto&) { answered = true; });
    other.set_listener([](const TaskId&, const ExecutorEvent&) {});
    world.run_for(seconds(1));
    EXPECT_FALSE(answered);
    started += other.exists(task) ? 1 : 0;
  }
  EXPECT_GT(started, 0);
  EXPECT_LT(started, 40);
}

TEST_F(FakeExecutorTest, ARebootEndsEverythingSilently) {
  ASSERT_TRUE(prepare().ok());
  ASSERT_TRUE(call(&FakeExecutor::start).ok());
  engine.reboot();
  world.run_for(seconds(1));
  EXPECT_TRUE(engine.running().empty());
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(list()[0].state, agent::ExistingTask::State::exited);
}

TEST_F(FakeExecutorTest, StoppingOrRemovingNothingIsFine) {
  EXPECT_TRUE(stop().ok());
  EXPECT_TRUE(call(&FakeExecutor::remove).ok());
}

TEST_F(FakeExecutorTest, AnEngineThatDoesNotAnswerSaysUnavailable) {
  engine.set_answering(false);
  EXPECT_EQ(prepare().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(stop().code(), absl::StatusCode::kUnavailable);
}

TEST_F(FakeExecutorTest, OverlappingCallsForATaskAreCaught) {
  engine.prepare(labels, {}, [](const auto&) {});
  EXPECT_DEATH(engine.start(task, [](const Status&) {}), "prepared|overlap");
}

TEST_F(FakeExecutorTest, ARandomScriptIsTheSameForTheSameSeed) {
  const ScriptOf one = random_script(Random(5));
  const ScriptOf other = random_script(Random(5));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(one(labels, {}).prepare_time, other(labels, {}).prepare_time);
  }
}

}  // namespace
}  // namespace swarm::runtime
