#include "agent/task_machine.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace swarm::agent {
namespace {

std::vector<TaskEvent> all_events() {
  std::vector<TaskEvent> events;
  for (int event = 0; event <= static_cast<int>(kLastTaskEvent); ++event) {
    events.push_back(static_cast<TaskEvent>(event));
  }
  return events;
}

std::vector<TaskStep> all_steps() {
  std::vector<TaskStep> steps;
  for (int step = 0; step <= static_cast<int>(kLastTaskStep); ++step) {
    steps.push_back(static_cast<TaskStep>(step));
  }
  return steps;
}

TEST(TaskMachine, WalksFromAcceptedToGone) {
  TaskStep step = TaskStep::accepted;
  for (const TaskEvent event :
       {TaskEvent::begin, TaskEvent::prepared, TaskEvent::run_wanted, TaskEvent::started,
        TaskEvent::healthy, TaskEvent::stop_wanted, TaskEvent::drained, TaskEvent::stopped,
        TaskEvent::remove_wanted, TaskEvent::removed}) {
    const std::optional<TaskStep> following = next(step, event);
    ASSERT_TRUE(following) << "at " << step;
    step = *following;
  }
  EXPECT_EQ(step, TaskStep::gone);
}

TEST(TaskMachine, NeverGoesBack) {
  for (const TaskStep step : all_steps()) {
    for (const TaskEvent event : all_events()) {
      if (const auto following = next(step, event)) {
        EXPECT_GT(*following, step) << "event " << static_cast<int>(event);
      }
    }
  }
}

TEST(TaskMachine, EveryStepButTheLastCanReachTheEnd) {
  for (const TaskStep start : all_steps()) {
    std::set<TaskStep> seen = {start};
    std::vector<TaskStep> open = {start};
    while (!open.empty()) {
      const TaskStep step = open.back();
      open.pop_back();
      for (const TaskEvent event : all_events()) {
        if (const auto following = next(step, event); following && seen.insert(*following).second) {
          open.push_back(*following);
        }
      }
    }
    EXPECT_TRUE(seen.contains(TaskStep::gone)) << "from " << start;
  }
}

TEST(TaskMachine, OnlyAHealthyTaskRuns) {
  for (const TaskStep step : all_steps()) {
    for (const TaskEvent event : all_events()) {
      if (next(step, event) == TaskStep::running) {
        EXPECT_EQ(event, TaskEvent::healthy);
        EXPECT_EQ(step, TaskStep::starting);
      }
    }
  }
}

TEST(TaskMachine, ARunningTaskIsStoppedOnlyAfterItWasDrained) {
  for (const TaskEvent event : all_events()) {
    const auto following = next(TaskStep::running, event);
    EXPECT_NE(following, TaskStep::stopping);
    EXPECT_NE(following, TaskStep::removing);
  }
  EXPECT_EQ(next(TaskStep::draining, TaskEvent::drained), TaskStep::stopping);
}

TEST(TaskMachine, IgnoresEventsThatMeanNothingInAStep) {
  EXPECT_EQ(next(TaskStep::ended, TaskEvent::healthy), std::nullopt);
  EXPECT_EQ(next(TaskStep::stopping, TaskEvent::stop_wanted), std::nullopt);
  EXPECT_EQ(next(TaskStep::stopping, TaskEvent::exited), std::nullopt);
  EXPECT_EQ(next(TaskStep::preparing, TaskEvent::run_wanted), std::nullopt);
}

TEST(TaskMachine, NamesEveryStep) {
  std::set<std::string_view> names;
  for (const TaskStep step : all_steps()) {
    names.insert(to_string(step));
  }
  EXPECT_EQ(names.size(), all_steps().size());
}

}  // namespace
}  // namespace swarm::agent
