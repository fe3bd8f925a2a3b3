#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

// Waiting for convergence, from the command line to the exit code: the swarm moves while the
// command sleeps between two polls, a tenth of a second each.
namespace swarm::cli {
namespace {

using model::RolloutState;
using model::TaskState;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kCreateWeb = "service create --name web --update-monitor 1s web:1.0";

class Wait : public testing::Test {
 protected:
  // What happens after so many sleeps.
  void at(int sleeps, std::function<void()> change) {
    changes_[sleeps] = std::move(change);
    fixture_.clock.on_sleep = [this](int count) {
      if (const auto found = changes_.find(count); found != changes_.end()) {
        found->second();
      }
    };
  }
  void add(model::Slot slot, TaskState state) { swarm().add_task("web", slot, state); }
  void set(size_t task, TaskState state, const std::string& error = "") {
    swarm().tasks[task].task.status.state = state;
    swarm().tasks[task].task.status.error = error;
  }
  void retire(size_t task) { swarm().tasks[task].task.desired = TaskState::shutdown; }
  void set_rollout(RolloutState state, const std::string& message = "") {
    model::Rollout& rollout = swarm().service("web").service.rollout.edit();
    rollout.state = state;
    rollout.message = message;
  }
  // The update failed, and its failure action rolls it back.
  void roll_back_by_itself(RolloutState state, const std::string& message = "") {
    model::Service& service = swarm().service("web").service;
    if (!service.rollout->is_automatic) {
      service.rollout.edit().from = service.revision;
      service.revision = service.rollout.edit().to = service.previous_revision;
      service.rollout.edit().is_automatic = true;
    }
    set_rollout(state, message);
  }
  FakeSwarm& swarm() { return fixture_.swarm; }

  Fixture fixture_;

 private:
  std::map<int, std::function<void()>> changes_;
};

// A service `web` of one running task.
class WaitForUpdate : public Wait {
 protected:
  WaitForUpdate() {
    EXPECT_EQ(fixture_
                  .run("service create -d --name web --update-monitor 1s --rollback-monitor 1s "
                       "web:1.0")
                  .exit_code,
              0);
    add(1, TaskState::running);
  }
  // The new task runs after two polls.
  void replace_task() {
    at(1, [this] { add(1, TaskState::preparing); });
    at(2, [this] {
      set(1, TaskState::running);
      retire(0);
    });
  }
};

TEST_F(Wait, CreateConvergesAfterTheMonitorWindow) {
  at(1, [this] { add(1, TaskState::preparing); });
  at(2, [this] { set(0, TaskState::running); });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out,
            "newservice0aaaaaaaaaaaaaa\n"
            "overall progress: 0 out of 1 tasks\n"
            "1/1: preparing\n"
            "overall progress: 1 out of 1 tasks\n"
            "1/1: running\n"
            "verify: Waiting 1 seconds to verify that tasks are stable...\n"
            "verify: Service web converged\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(swarm().polls, 13);  // at once, until it runs, and one second
}

TEST_F(Wait, AClosedPortKeepsAServiceFromConverging) {
  at(1, [this] {
    add(1, TaskState::running);
    swarm().service("web").closed_ports = {
        {model::NodeId("n1"), "host1", {80, 8080}, "port 8080/tcp is in use by another program"}};
  });
  at(40, [this] { swarm().service("web").closed_ports.clear(); });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out,
              HasSubstr("port 8080/tcp is closed on node host1: port 8080/tcp is in use "
                        "by another program\n"));
  EXPECT_GT(swarm().polls, 50);  // the port, then one second
}

TEST_F(Wait, APortThatStaysClosedEndsTheWaitAfterTheProgressDeadline) {
  at(1, [this] {
    add(1, TaskState::running);
    swarm().service("web").closed_ports = {
        {model::NodeId("n1"), "host1", {80, 8080}, "it is in use by another program"}};
  });
  const RunResult result = fixture_.run(
      "service create --name web --update-monitor 1s --update-progress-deadline 5s web:1.0");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(
      result.err,
      HasSubstr("1 out of 1 tasks are running: port 8080/tcp is closed on node host1: it is "
                "in use by another program"));
}

TEST_F(Wait, QuietWaitsWithoutProgress) {
  at(1, [this] { add(1, TaskState::running); });
  EXPECT_EQ(fixture_.run(std::string(kCreateWeb).insert(15, "-q ")).out,
            "newservice0aaaaaaaaaaaaaa\n");
  EXPECT_GT(swarm().polls, 10);
}

TEST_F(Wait, DetachedDoesNotWait) {
  EXPECT_EQ(fixture_.run("service create -d web:1.0").exit_code, 0);
  EXPECT_EQ(swarm().polls, 0);
}

TEST_F(Wait, WithoutReplicasThereIsNothingToWaitFor) {
  EXPECT_EQ(fixture_.run("service create --replicas 0 web:1.0").exit_code, 0);
  EXPECT_EQ(swarm().polls, 1);
}

TEST_F(Wait, AFailureRestartsTheWindow) {
  at(1, [this] { add(1, TaskState::running); });
  at(5, [this] {
    set(0, TaskState::failed, "exit code 1");
    retire(0);
    add(1, TaskState::ready);
  });
  at(6, [this] { set(1, TaskState::running); });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("verify: Detected task failure\n"
                                    "overall progress: 0 out of 1 tasks\n"
                                    "1/1: ready: web.1: exit code 1\n"));
  EXPECT_EQ(swarm().polls, 17);
}

TEST_F(Wait, TimeoutNamesTheReasonAndGivesFour) {
  at(1, [this] {
    add(1, TaskState::pending);
    swarm().tasks[0].wait = {"no suitable node (insufficient memory on 3 nodes)", kNow, {}};
  });
  const RunResult result = fixture_.run(std::string("--timeout 1.05s ") + kCreateWeb);
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(result.err,
            "Error: timed out after 1.05s: 0 out of 1 tasks are running\n"
            "  slot 1: pending: no suitable node (insufficient memory on 3 nodes): 1s\n"
            "Operation continuing in background. Use `swarmctl service ps "
            "web` to check progress.\n");
}

TEST_F(Wait, TimeoutNamesTheClosedPort) {
  at(1, [this] {
    add(1, TaskState::running);
    swarm().service("web").closed_ports = {
        {model::NodeId("n1"), "host1", {80, 8080}, "it is in use by another program"}};
  });
  const RunResult closed =
      fixture_.run("--timeout 2s service create -q --name web --update-monitor 1s web:1.0");
  EXPECT_EQ(closed.exit_code, 4);
  EXPECT_THAT(closed.err, HasSubstr("  port 8080/tcp is closed on node host1: it is in use by "
                                    "another program\n"));
}

TEST_F(Wait, TimeoutNamesWhatIsVerified) {
  at(1, [this] { add(1, TaskState::running); });
  const RunResult result =
      fixture_.run("--timeout 2s service create -q --name web --update-monitor 9s web:1.0");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("  verify: Waiting 8 seconds"));
}

TEST_F(Wait, InterruptLeavesTheOperationToTheSwarm) {
  fixture_.clock.interrupt_after = 3;
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_EQ(result.err,
            "Operation continuing in background. Use `swarmctl service ps "
            "web` to check progress.\n");
}

TEST_F(Wait, AChangeOfLeaderIsANoticeNotAnError) {
  at(1, [this] { swarm().failure = absl::UnavailableError("the swarm has no leader"); });
  at(20, [this] {
    swarm().failure = absl::OkStatus();
    add(1, TaskState::running);
  });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("waiting for the swarm: the swarm has no leader\n"));
  EXPECT_EQ(result.out.find("waiting for"), result.out.rfind("waiting for"));
}

TEST_F(Wait, ASwarmThatIsGoneIsAnError) {
  at(1, [this] { swarm().failure = absl::UnavailableError("the swarm has no leader"); });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Error: the swarm has no leader\n"));
  EXPECT_EQ(fixture_.clock.now() - TimePoint{}, seconds(60) + milliseconds(100));
}

TEST_F(Wait, ARemovedServiceEndsTheWait) {
  at(2, [this] { swarm().service("web").service.is_removed = true; });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "Error: service web was removed\n");
}

TEST_F(Wait, AServiceOfWhichNothingIsLeftWasRemoved) {
  at(2, [this] { swarm().services.clear(); });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "Error: service web was removed\n");
}

TEST_F(WaitForUpdate, EndsWhenTheRolloutSaysItIsCompleted) {
  replace_task();
  at(5, [this] { set_rollout(RolloutState::completed); });
  const RunResult result = fixture_.run("service update --image web:1.1 web");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, EndsWith("verify: Service web converged\n"));
  EXPECT_EQ(fixture_.clock.now() - TimePoint{}, milliseconds(500));
}

TEST_F(WaitForUpdate, WaitsForTheRolloutBeyondTheWindow) {
  replace_task();
  at(50, [this] { set_rollout(RolloutState::completed); });
  EXPECT_EQ(fixture_.run("service update --image web:1.1 web").exit_code, 0);
  EXPECT_EQ(fixture_.clock.now() - TimePoint{}, seconds(5));
}

TEST_F(WaitForUpdate, PausedGivesThree) {
  at(1, [this] { add(1, TaskState::rejected); });
  at(3, [this] { set_rollout(RolloutState::paused, "task t1 failed: no such image"); });
  const RunResult result = fixture_.run("service update --image web:9 web");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.err,
            "Error: service update paused: task t1 failed: no such image\n"
            "Next: `swarmctl service ps web` shows its tasks, `swarmctl service update web` tries "
            "again, `swarmctl service rollback web` goes back.\n");
}

TEST_F(WaitForUpdate, RolledBackGivesTwo) {
  at(1, [this] { add(1, TaskState::rejected); });
  at(3, [this] { roll_back_by_itself(RolloutState::rollback_started, "task t1 failed"); });
  at(5, [this] { roll_back_by_itself(RolloutState::rollback_completed, "rollback completed"); });
  const RunResult result = fixture_.run("service update --image web:9 web");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, HasSubstr("service update failed, rolling back: task t1 failed\n"
                                    "rolling back update: 1 out of 1 tasks\n"));
  EXPECT_EQ(result.err,
            "Error: service rolled back: rollback completed\n"
            "Next: `swarmctl service ps --no-trunc web` shows the tasks that failed.\n");
}

TEST_F(WaitForUpdate, APausedRollbackGivesThree) {
  at(1, [this] { roll_back_by_itself(RolloutState::rollback_paused, "task t2 failed"); });
  const RunResult result = fixture_.run("service update --image web:9 web");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, StartsWith("Error: service rollback paused: task t2 failed\n"));
}

TEST_F(WaitForUpdate, CompletedWithoutAllTasksIsAnErrorAfterTheWindow) {
  at(1, [this] { add(1, TaskState::failed); });
  at(2, [this] { set_rollout(RolloutState::completed); });
  const RunResult result = fixture_.run("service update --image web:9 web");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, StartsWith("Error: the rollout is completed, but only 0 out of 1 tasks "
                                     "are running"));
  EXPECT_EQ(fixture_.clock.now() - TimePoint{}, milliseconds(1200));
}

TEST_F(WaitForUpdate, AChangeThatTouchesNoTaskEndsAtOnce) {
  const RunResult result = fixture_.run("service update --label-add a=b web");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(fixture_.clock.now(), TimePoint{});
}

TEST_F(WaitForUpdate, AnEarlierFailedRolloutSaysNothingAboutThisOne) {
  EXPECT_EQ(fixture_.run("service update -d --image web:9 web").exit_code, 0);
  set_rollout(RolloutState::paused, "old news");
  replace_task();
  at(5, [this] { set_rollout(RolloutState::completed); });
  EXPECT_EQ(fixture_.run("service update --image web:1.1 web").exit_code, 0);
}

TEST_F(WaitForUpdate, ARolloutThatItFoundOnItsWayIsFollowedToItsEnd) {
  ASSERT_EQ(fixture_.run("service update -d --image web:9 web").exit_code, 0);
  add(1, TaskState::failed);
  at(3, [this] { set_rollout(RolloutState::paused, "task t1 failed"); });
  const RunResult result = fixture_.run("service update --label-add a=b web");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, StartsWith("Error: service update paused: task t1 failed\n"));
}

TEST_F(WaitForUpdate, ScalingSaysAtOnceThatThePausedRolloutStaysPaused) {
  EXPECT_EQ(fixture_.run("service update -d --image web:9 web").exit_code, 0);
  set_rollout(RolloutState::paused, "web.1 on node n1: exit code 1");
  const RunResult result = fixture_.run("service scale web=2");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("scaled, but service update paused: web.1 on node n1: exit "
                                    "code 1 (scaling does not resume it"));
  EXPECT_EQ(fixture_.clock.now(), TimePoint{});
}

TEST_F(WaitForUpdate, ScalingDownWaitsUntilTheSuperfluousAreGone) {
  EXPECT_EQ(fixture_.run("service scale -d web=2").exit_code, 0);
  add(2, TaskState::running);
  swarm().tasks[1].task.node = model::NodeId("node1");
  at(3, [this] { retire(1); });
  at(9, [this] { set(1, TaskState::shutdown); });
  const RunResult result = fixture_.run("service scale web=1");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("overall progress: 1 out of 1 tasks, 1 stopping\n"));
  EXPECT_EQ(fixture_.clock.now() - TimePoint{}, milliseconds(1900));
}

TEST_F(WaitForUpdate, AnotherUpdateSupersedesThisOne) {
  at(1, [this] { add(1, TaskState::preparing); });
  at(3, [this] {
    model::Service& service = swarm().service("web").service;
    service.revision = service.rollout.edit().to = 3;
    service.rollout.edit().from = 2;
  });
  const RunResult result = fixture_.run("service update --image web:1.1 web");
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.err, StartsWith("Error: superseded: service web is now to run revision 3 "
                                     "instead of 2, by another update or rollback\n"));
}

TEST_F(WaitForUpdate, SomebodyElsesRollbackSupersedesToo) {
  at(3, [this] {
    model::Service& service = swarm().service("web").service;
    service.revision = service.rollout.edit().to = 1;
    service.rollout.edit().from = 2;
    set_rollout(RolloutState::rollback_started, "manually requested rollback");
  });
  const RunResult result = fixture_.run("service update --image web:1.1 web");
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.out, Not(HasSubstr("update failed")));
}

TEST_F(WaitForUpdate, FailuresThatThePolicyToleratesAreNoError) {
  at(1, [this] { add(1, TaskState::failed); });
  at(2, [this] {
    swarm().service("web").service.rollout.edit().failed_slots = {1};
    swarm().service("web").service.rollout.edit().cause = "web.1 on node n1: exit code 1";
    set_rollout(RolloutState::completed);
  });
  const RunResult result = fixture_.run("service update -q --image web:9 web");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("completed with the failures its policy tolerates: 0 out of 1 "
                                    "tasks are running: web.1 on node n1: exit code 1\n"));
}

TEST_F(Wait, ServiceWhoseTasksFinishIsDone) {
  at(1, [this] { add(1, TaskState::running); });
  at(2, [this] {
    set(0, TaskState::complete);
    retire(0);
  });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("all 1 tasks of service web have "
                                    "finished\n"));
}

TEST_F(Wait, ServiceThatGaveUpIsAnErrorWithItsLastSentence) {
  at(1, [this] { add(1, TaskState::failed); });
  at(2, [this] {
    set(0, TaskState::failed, "task: non-zero exit (3)");
    retire(0);
  });
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              StartsWith("Error: nothing will change by waiting: slot 1: task: non-zero "
                         "exit (3)\n"));
}

TEST_F(Wait, EngineThatRefusesEveryAttemptEndsTheWait) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    at(1 + attempt, [this, attempt] {
      add(1, TaskState::rejected);
      set(static_cast<size_t>(attempt), TaskState::rejected, "invalid mount path: 'x'");
      swarm().tasks[static_cast<size_t>(attempt)].task.desired =
          attempt < 2 ? TaskState::shutdown : TaskState::running;
    });
  }
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              StartsWith("Error: nothing will change by waiting: slot 1: invalid mount path: 'x'"));
}

TEST_F(Wait, ARefusalThatNamesTheContainerIsTheSameEachTime) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    at(1 + attempt, [this, attempt] {
      add(1, TaskState::rejected);
      set(static_cast<size_t>(attempt), TaskState::rejected,
          "cannot write docker/" + std::string(64, static_cast<char>('a' + attempt)) + "/quota");
    });
  }
  const RunResult result = fixture_.run(kCreateWeb);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, StartsWith("Error: nothing will change by waiting: slot 1: cannot"));
}

TEST_F(Wait, CreateEndsAtTheProgressDeadline) {
  at(1, [this] {
    add(1, TaskState::starting);
    set(0, TaskState::starting, "port 80: connection refused");
  });
  const RunResult result =
      fixture_.run(std::string(kCreateWeb).insert(15, "--update-progress-deadline 2s "));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              HasSubstr("not converged within the progress deadline of 2s: 0 out of 1 tasks are "
                        "running: slot 1: port 80: connection refused"));
}

TEST_F(WaitForUpdate, ARequestedRollbackThatCompletesIsASuccess) {
  EXPECT_EQ(fixture_.run("service update -d --image web:1.1 web").exit_code, 0);
  at(1, [this] { set_rollout(RolloutState::rollback_started); });
  at(4, [this] { set_rollout(RolloutState::rollback_completed); });
  const RunResult result = fixture_.run("service rollback web");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, Not(HasSubstr("failed")));
}

TEST_F(WaitForUpdate, ARollbackThatPausesGivesThree) {
  EXPECT_EQ(fixture_.run("service update -d --image web:1.1 web").exit_code, 0);
  at(1, [this] {
    retire(0);
    set_rollout(RolloutState::rollback_paused, "task t3 failed");
  });
  EXPECT_EQ(fixture_.run("service update --rollback web").exit_code, 3);
}

TEST_F(WaitForUpdate, TheFirstFailureOfAScaleOfManyIsTheExitCode) {
  const RunResult result = fixture_.run("service scale --timeout 1s web=3");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("1 out of 3 tasks are running"));
}

}  // namespace
}  // namespace swarm::cli
