#include "agent/adoption.h"

#include <gtest/gtest.h>

#include "fakes.h"

namespace swarm::agent {
namespace {

using model::TaskState;

constexpr WallTime kNow{seconds(2'000)};
constexpr WallTime kBefore{seconds(1'000)};

model::TaskStatus kept(TaskState state) {
  model::TaskStatus status;
  status.state = state;
  status.at = kBefore;
  if (state == TaskState::running) {
    status.running_since = kBefore;
  }
  return status;
}

ExistingTask existing(ExistingTask::State state, bool is_healthy = false) {
  ExistingTask task;
  task.container_id = "c1";
  task.state = state;
  task.is_healthy = is_healthy;
  return task;
}

TEST(Adoption, AHealthyContainerGoesOnRunningSinceItFirstRan) {
  const model::TaskStatus remembered = kept(TaskState::running);
  const ExistingTask container = existing(ExistingTask::State::running, true);
  const Adoption adoption = adopt(assignment("t1"), &remembered, &container, kNow);
  EXPECT_EQ(adoption.step, TaskStep::running);
  EXPECT_EQ(adoption.status.state, TaskState::running);
  EXPECT_EQ(adoption.status.running_since, kBefore);
  EXPECT_EQ(adoption.status.at, kBefore);
}

TEST(Adoption, AHealthyContainerNobodyRemembersRunsSinceNow) {
  const ExistingTask container = existing(ExistingTask::State::running, true);
  const Adoption adoption = adopt(assignment("t1"), nullptr, &container, kNow);
  EXPECT_EQ(adoption.step, TaskStep::running);
  EXPECT_EQ(adoption.status.running_since, kNow);
  EXPECT_EQ(adoption.status.container_id, "c1");
}

TEST(Adoption, AContainerWhoseHealthIsUnknownStaysRunningButWaitsForHealth) {
  const model::TaskStatus remembered = kept(TaskState::running);
  const ExistingTask container = existing(ExistingTask::State::running);
  const Adoption adoption = adopt(assignment("t1"), &remembered, &container, kNow);
  EXPECT_EQ(adoption.step, TaskStep::starting);
  EXPECT_EQ(adoption.status.state, TaskState::running);
}

TEST(Adoption, ARunningContainerThatIsNotWantedIsDrained) {
  const model::TaskStatus remembered = kept(TaskState::running);
  const ExistingTask container = existing(ExistingTask::State::running, true);
  EXPECT_EQ(adopt(assignment("t1", TaskState::shutdown), &remembered, &container, kNow).step,
            TaskStep::draining);
  EXPECT_EQ(adopt(assignment("t1", TaskState::remove), nullptr, &container, kNow).step,
            TaskStep::draining);
}

TEST(Adoption, ARunningContainerOfATaskThatEndedIsDrained) {
  const model::TaskStatus remembered = kept(TaskState::failed);
  const ExistingTask container = existing(ExistingTask::State::running, true);
  const Adoption adoption = adopt(assignment("t1"), &remembered, &container, kNow);
  EXPECT_EQ(adoption.step, TaskStep::draining);
  EXPECT_EQ(adoption.status.state, TaskState::failed);
}

TEST(Adoption, AContainerThatEndedMeanwhileTellsHow) {
  const model::TaskStatus remembered = kept(TaskState::running);
  ExistingTask container = existing(ExistingTask::State::exited);
  container.exit_code = 3;
  const Adoption adoption = adopt(assignment("t1"), &remembered, &container, kNow);
  EXPECT_EQ(adoption.step, TaskStep::ended);
  EXPECT_EQ(adoption.status.state, TaskState::failed);
  EXPECT_EQ(adoption.status.exit_code, 3);
  EXPECT_EQ(adoption.status.error, "task: non-zero exit (3)");

  container.exit_code = 0;
  EXPECT_EQ(adopt(assignment("t1"), &remembered, &container, kNow).status.state,
            TaskState::complete);
}

TEST(Adoption, AContainerThatWasStoppedFromOutsideMeanwhileHasFailed) {
  const model::TaskStatus remembered = kept(TaskState::running);
  ExistingTask container = existing(ExistingTask::State::exited);
  container.is_external_stop = true;
  container.error = "its engine went down";
  const Adoption adoption = adopt(assignment("t1"), &remembered, &container, kNow);
  EXPECT_EQ(adoption.status.state, TaskState::failed);
  EXPECT_EQ(adoption.status.error, "task: exit (0): its engine went down");
}

TEST(Adoption, AContainerThatWasBeingStoppedIsShutDown) {
  const model::TaskStatus remembered = kept(TaskState::running);
  ExistingTask container = existing(ExistingTask::State::exited);
  container.exit_code = 143;
  const Adoption adoption =
      adopt(assignment("t1", TaskState::shutdown), &remembered, &container, kNow);
  EXPECT_EQ(adoption.status.state, TaskState::shutdown);
  EXPECT_EQ(adoption.status.exit_code, 143);
}

TEST(Adoption, ATaskThatEndedIsNotMadeAnew) {
  const model::TaskStatus remembered = kept(TaskState::rejected);
  const Adoption adoption = adopt(assignment("t1"), &remembered, nullptr, kNow);
  EXPECT_EQ(adoption.step, TaskStep::ended);
  EXPECT_EQ(adoption.status, remembered);
}

TEST(Adoption, ARunningTaskWhoseContainerVanishedHasFailed) {
  const model::TaskStatus remembered = kept(TaskState::running);
  const Adoption adoption = adopt(assignment("t1"), &remembered, nullptr, kNow);
  EXPECT_EQ(adoption.step, TaskStep::ended);
  EXPECT_EQ(adoption.status.state, TaskState::failed);
  EXPECT_NE(adoption.status.error, "");
}

TEST(Adoption, APreparedContainerIsReadyAndAnUnpreparedOneStartsOver) {
  const model::TaskStatus remembered = kept(TaskState::preparing);
  const ExistingTask container = existing(ExistingTask::State::created);
  EXPECT_EQ(adopt(assignment("t1"), &remembered, &container, kNow).step, TaskStep::ready);
  EXPECT_EQ(adopt(assignment("t1"), &remembered, nullptr, kNow).step, TaskStep::accepted);
}

TEST(Adoption, WhatNeverRanAndIsNotWantedHasEnded) {
  const ExistingTask container = existing(ExistingTask::State::created);
  for (const ExistingTask* found : {static_cast<const ExistingTask*>(nullptr), &container}) {
    const Adoption adoption = adopt(assignment("t1", TaskState::shutdown), nullptr, found, kNow);
    EXPECT_EQ(adoption.step, TaskStep::ended);
    EXPECT_EQ(adoption.status.state, TaskState::shutdown);
  }
}

TEST(Adoption, ObservedStatesNeverGoBack) {
  using State = ExistingTask::State;
  for (const TaskState state :
       {TaskState::accepted, TaskState::preparing, TaskState::ready, TaskState::starting,
        TaskState::running, TaskState::complete, TaskState::failed, TaskState::rejected}) {
    for (const TaskState desired : {TaskState::ready, TaskState::running, TaskState::shutdown}) {
      for (const State found : {State::created, State::running, State::exited}) {
        const model::TaskStatus remembered = kept(state);
        const ExistingTask container = existing(found);
        const Adoption adoption = adopt(assignment("t1", desired), &remembered, &container, kNow);
        if (is_terminal(state)) {
          EXPECT_EQ(adoption.status.state, state);
        } else {
          EXPECT_GE(adoption.status.state, state);
        }
      }
    }
  }
}

TEST(ExitTexts, NameTheSignal) {
  EXPECT_EQ(error_of_exit({137, "", false}), "task: killed by SIGKILL (137)");
  EXPECT_EQ(error_of_exit({137, "out of memory", false}),
            "task: killed by SIGKILL (137): out of memory");
  EXPECT_EQ(error_of_exit({139, "", false}), "task: killed by SIGSEGV (139)");
  EXPECT_EQ(error_of_exit({143, "", false}), "task: killed by SIGTERM (143)");
  EXPECT_EQ(error_of_exit({3, "", false}), "task: non-zero exit (3)");
  EXPECT_EQ(error_of_exit({255, "", false}), "task: non-zero exit (255)");
  EXPECT_EQ(error_of_exit({0, "", false}), "");
}

TEST(ExitTexts, NameAStopFromOutside) {
  EXPECT_EQ(error_of_exit({0, "", true}), "task: exit (0): stopped from outside");
  EXPECT_EQ(error_of_exit({0, "its engine went down", true}),
            "task: exit (0): its engine went down");
}

}  // namespace
}  // namespace swarm::agent
