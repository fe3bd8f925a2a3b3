// What people do by hand to the containers of tasks, on a real engine.
#include <gmock/gmock.h>

#include "engine_fixture.h"

namespace swarm::runtime {
namespace {

using testing::HasSubstr;

class ByHand : public DockerEngine {
 protected:
  void run_healthy(const std::string& id, const model::TaskTemplate& spec) {
    const Status status = run(id, spec);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(await_event(id, Kind::healthy));
  }
  // The events of one kind so far.
  size_t count(const std::string& id, Kind kind) {
    size_t found = 0;
    for (const auto& [task, event] : events_) {
      found += task == labels(id).task.value() && event.kind == kind ? 1 : 0;
    }
    return found;
  }
  bool await_count(const std::string& id, Kind kind, size_t wanted) {
    return loop_.until([&] { return count(id, kind) >= wanted; }, seconds(60));
  }
};

TEST_F(ByHand, StopIsNoCompletion) {
  run_healthy("t1", server());
  ASSERT_TRUE(docker({"stop"}, "t1"));
  ASSERT_TRUE(await_event("t1", Kind::exited));
  const auto* const event = find_event("t1", Kind::exited);
  EXPECT_EQ(event->exit_code, 0);
  EXPECT_TRUE(event->is_external_stop);
  EXPECT_EQ(event->error, "stopped from outside with SIGTERM");
}

TEST_F(ByHand, KillIsNamed) {
  run_healthy("t1", server());
  ASSERT_TRUE(docker({"kill"}, "t1"));
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 137);
  EXPECT_EQ(find_event("t1", Kind::exited)->error, "stopped from outside with SIGKILL");
}

TEST_F(ByHand, TaskThatEndsByItselfIsComplete) {
  ASSERT_TRUE(run("t1", shell("sleep 0.2")).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 0);
  EXPECT_FALSE(find_event("t1", Kind::exited)->is_external_stop);
}

TEST_F(ByHand, SignalThatIsSurvivedIsNoStop) {
  run_healthy("t1", shell("trap : HUP; until [ -f /done ]; do sleep 0.05; done"));
  ASSERT_TRUE(docker({"kill", "--signal", "HUP"}, "t1"));
  ASSERT_TRUE(run_program({"docker", "exec", container_name(labels("t1")), "/bin/touch", "/done"}));
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_FALSE(find_event("t1", Kind::exited)->is_external_stop);
}

TEST_F(ByHand, RestartEndsTheTaskAndLeavesNothingRunning) {
  run_healthy("t1", server());
  ASSERT_TRUE(docker({"restart"}, "t1"));
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_TRUE(find_event("t1", Kind::exited)->is_external_stop);
  EXPECT_TRUE(await_state("t1", "exited"));
  EXPECT_EQ(count("t1", Kind::exited), 1U);
}

TEST_F(ByHand, StartAfterTheEndIsUndone) {
  run_healthy("t1", server());
  ASSERT_TRUE(docker({"stop"}, "t1"));
  ASSERT_TRUE(await_event("t1", Kind::exited));
  ASSERT_TRUE(docker({"start"}, "t1"));
  EXPECT_TRUE(await_state("t1", "exited"));
}

TEST_F(ByHand, RestartPolicyIsSetBack) {
  run_healthy("t1", server());
  ASSERT_TRUE(docker({"update", "--restart=always"}, "t1"));
  EXPECT_TRUE(loop_.until(
      [&] {
        const auto state = look("t1");
        return state.ok() && state->restart_policy == "no";
      },
      seconds(60)));
}

TEST_F(ByHand, PauseTakesTheTaskOutUntilItGoesOn) {
  run_healthy("t1", spec("web:1.0"));
  ASSERT_TRUE(docker({"pause"}, "t1"));
  ASSERT_TRUE(await_event("t1", Kind::unreachable));
  EXPECT_EQ(find_event("t1", Kind::unreachable)->error, "paused from outside");
  ASSERT_TRUE(docker({"unpause"}, "t1"));
  EXPECT_TRUE(await_count("t1", Kind::healthy, 2));
}

TEST_F(ByHand, PausedTaskCanBeStopped) {
  run_healthy("t1", server());
  ASSERT_TRUE(docker({"pause"}, "t1"));
  ASSERT_TRUE(await_event("t1", Kind::unreachable));
  EXPECT_TRUE(stop("t1", seconds(1)).ok());
  EXPECT_TRUE(await_event("t1", Kind::exited));
}

TEST_F(ByHand, DisconnectedTaskIsTakenUpAtItsNewAddress) {
  run_healthy("t1", spec("web:1.0"));
  ASSERT_TRUE(docker({"network", "disconnect", "bridge"}, "t1"));
  ASSERT_TRUE(await_event("t1", Kind::unreachable));
  // Somebody else gets the address that was let go.
  ASSERT_TRUE(run("t2", spec("web:1.1")).ok());
  ASSERT_TRUE(await_event("t2", Kind::healthy));
  ASSERT_TRUE(docker({"network", "connect", "bridge"}, "t1"));
  ASSERT_TRUE(await_count("t1", Kind::healthy, 2));
  const std::vector<agent::TaskAddress> addresses = events_.back().second.addresses;
  ASSERT_EQ(addresses.size(), 1U);
  EXPECT_EQ(fetch(addresses[0].address), "web 1.0\n");
}

TEST_F(ByHand, RenamedContainerIsStillTheTask) {
  run_healthy("t1", server());
  const std::string name = container_name(labels("t1"));
  ASSERT_TRUE(run_program({"docker", "rename", name, name + "-renamed"}));
  EXPECT_TRUE(stop("t1", seconds(10)).ok());
  EXPECT_NE(find_event("t1", Kind::exited), nullptr);
  EXPECT_TRUE(remove("t1").ok());
  started_.pop_back();
  EXPECT_FALSE(run_program({"docker", "inspect", name + "-renamed"})) << "it is gone";
}

TEST_F(ByHand, ContainerWithOurLabelsIsFoundWheneverItAppears) {
  EXPECT_TRUE(list().empty());
  // As a call to create it that was given up, and took effect later.
  const auto body = create_body(labels("late"), server());
  ASSERT_TRUE(body.ok());
  EngineClient engine(loop_.loop(), environment("SWARM_ENGINE_SOCKET"));
  EXPECT_TRUE(wait([&](auto done) {
                engine.create(container_name(labels("late")), *body,
                              [done = std::move(done)](const Result<std::string>& id) mutable {
                                done(id.status());
                              });
              }).ok());
  ASSERT_EQ(list().size(), 1U);
  EXPECT_TRUE(remove("late").ok());
  EXPECT_TRUE(list().empty());
}

TEST_F(ByHand, LackOfMemoryIsBlamedOnWhoeverWasKilled) {
  model::TaskTemplate child = shell("tail /dev/zero; exit 3");
  child.resources.edit().limits.memory_bytes = 16 << 20;
  ASSERT_TRUE(run("child", child).ok());
  ASSERT_TRUE(await_event("child", Kind::exited));
  EXPECT_EQ(find_event("child", Kind::exited)->exit_code, 3);
  EXPECT_EQ(find_event("child", Kind::exited)->error,
            "one of its processes was killed for lack of memory");
  model::TaskTemplate main = shell("exec tail /dev/zero");
  main.resources.edit().limits.memory_bytes = 16 << 20;
  ASSERT_TRUE(run("main", main).ok());
  ASSERT_TRUE(await_event("main", Kind::exited));
  EXPECT_EQ(find_event("main", Kind::exited)->exit_code, 137);
  EXPECT_EQ(find_event("main", Kind::exited)->error, "out of memory");
}

}  // namespace
}  // namespace swarm::runtime
