#include "agent/manager_session.h"

#include <gtest/gtest.h>

#include "fakes.h"

namespace swarm::agent {
namespace {

struct SessionTest : testing::Test {
  test::World world;
  test::SimulatedLoop loop{world};
  FakeManagers managers{loop};
  int opened = 0;
  int closed = 0;
  int removed = 0;
  std::vector<model::Role> roles;
  std::vector<model::AgentDownMessage> messages;
  ManagerSession session{
      loop,
      managers,
      Random(7),
      {.on_open = [this](const auto&) { ++opened; },
       .on_message = [this](auto message) { messages.push_back(std::move(message)); },
       .on_role = [this](model::Role role) { roles.push_back(role); },
       .on_closed = [this](const Status&) { ++closed; },
       .on_removed = [this](const Status&) { ++removed; }}};

  void start(std::vector<std::string> addresses = {"m1", "m2", "m3"}) {
    model::NodeDescription description;
    description.hostname = "host";
    session.start(description, {std::move(addresses)});
  }
  size_t heartbeats() { return managers.received<model::AgentHeartbeat>().size(); }
  std::string last_address() { return managers.attempts().back().second; }
  size_t attempts() { return managers.attempts().size(); }
};

TEST_F(SessionTest, SaysHelloFirstAndIsOpenOnceAccepted) {
  start();
  ASSERT_EQ(managers.received<model::AgentHello>().size(), 1u);
  EXPECT_EQ(managers.received<model::AgentHello>()[0].description.hostname, "host");
  EXPECT_FALSE(session.is_open());
  managers.accept();
  EXPECT_TRUE(session.is_open());
  EXPECT_EQ(opened, 1);
}

TEST_F(SessionTest, ARemovedNodeLooksForNoOtherManager) {
  start();
  managers.say_removed();
  EXPECT_EQ(removed, 1);
  EXPECT_EQ(closed, 0) << "it was never open";
  world.run_for(hours(1));
  EXPECT_EQ(attempts(), 1U);
}

TEST_F(SessionTest, HeartbeatsTellTheAppliedPosition) {
  start();
  managers.accept(seconds(1));
  session.set_applied(42);
  world.run_for(seconds(2));
  ASSERT_EQ(heartbeats(), 2u);
  EXPECT_EQ(managers.received<model::AgentHeartbeat>()[1].applied, 42u);
}

TEST_F(SessionTest, TheAnswerToAHeartbeatStretchesThePeriod) {
  start();
  managers.accept(seconds(1));
  world.run_for(seconds(1));
  managers.accept(seconds(10));  // the next beat was already due in a second
  world.run_for(seconds(1));
  const size_t before = heartbeats();
  world.run_for(seconds(9));
  EXPECT_EQ(heartbeats(), before);
  world.run_for(seconds(1));
  EXPECT_EQ(heartbeats(), before + 1);
  EXPECT_EQ(opened, 1);
}

TEST_F(SessionTest, AShorterPeriodHoldsAtOnce) {
  start();
  managers.accept(seconds(10));
  managers.accept(seconds(1));
  world.run_for(seconds(1));
  EXPECT_EQ(heartbeats(), 1u);
}

TEST_F(SessionTest, FollowsARedirectAtOnce) {
  start();
  managers.close(absl::FailedPreconditionError("not the leader"), "leader");
  world.settle();
  EXPECT_EQ(last_address(), "leader");
}

TEST_F(SessionTest, TwoManagersThatRedirectToEachOtherAreNotFollowedForEver) {
  start();
  for (int turn = 0; turn <= kMaxRedirects; ++turn) {
    managers.close(absl::FailedPreconditionError("not the leader"), turn % 2 == 0 ? "m2" : "m1");
    world.settle();
  }
  EXPECT_EQ(attempts(), 1u + kMaxRedirects);
  world.run_for(kFirstRetryWait);
  EXPECT_EQ(attempts(), 2u + kMaxRedirects);
}

TEST_F(SessionTest, TriesTheManagersInTurnWithGrowingBoundedWaits) {
  managers.set_unreachable(true);
  start();
  world.run_for(minutes(1));
  const auto& tried = managers.attempts();
  ASSERT_GT(tried.size(), 20u);
  EXPECT_EQ(tried[0].second, "m1");
  EXPECT_EQ(tried[1].second, "m2");
  EXPECT_EQ(tried[2].second, "m3");
  EXPECT_EQ(tried[3].second, "m1");
  EXPECT_EQ(tried[1].first - tried[0].first, kFirstRetryWait);
  for (size_t i = 2; i < tried.size(); ++i) {
    const Duration wait = tried[i].first - tried[i - 1].first;
    EXPECT_GE(wait, kMinReconnectWait / 2);
    EXPECT_LE(wait, kMaxReconnectWait);
  }
}

TEST_F(SessionTest, ABrokenSessionIsReopenedQuickly) {
  start();
  managers.accept();
  world.run_for(seconds(2));
  managers.close(absl::UnavailableError("connection reset"));
  EXPECT_EQ(closed, 1);
  EXPECT_FALSE(session.is_open());
  world.run_for(kFirstRetryWait);
  EXPECT_EQ(attempts(), 2u);
  EXPECT_EQ(managers.received<model::AgentHello>()[0].last_session.value(), "s1");
}

TEST_F(SessionTest, ADaemonKeepsItsInstance) {
  start();
  const std::string instance = managers.received<model::AgentHello>().at(0).instance;
  EXPECT_FALSE(instance.empty());
  managers.accept();
  managers.close(absl::UnavailableError("gone"));
  world.run_for(kFirstRetryWait);
  ASSERT_EQ(attempts(), 2u);
  EXPECT_EQ(managers.received<model::AgentHello>().at(0).instance, instance);
}

TEST_F(SessionTest, ASessionThatWasDisplacedDoesNotComeBackAtOnce) {
  for (const Status& reason :
       {absl::AlreadyExistsError("two machines"), absl::AbortedError("a newer session")}) {
    start();
    managers.accept();
    const size_t before = attempts();
    managers.close(reason);
    world.run_for(kMaxReconnectWait - milliseconds(1));
    EXPECT_EQ(attempts(), before) << reason;
    world.run_for(milliseconds(1));
    EXPECT_EQ(attempts(), before + 1) << reason;
    managers.close(reason);
    world.run_for(kDisplacedWait - milliseconds(1));
    EXPECT_EQ(attempts(), before + 1) << reason;
    world.run_for(milliseconds(1));
    EXPECT_EQ(attempts(), before + 2) << reason;
    session.stop();
  }
}

TEST_F(SessionTest, ALeaderThatFallsSilentIsLeft) {
  start();
  managers.accept(seconds(1), 3);
  world.run_for(seconds(3) - milliseconds(1));
  EXPECT_TRUE(session.is_open());
  world.run_for(milliseconds(1));
  EXPECT_FALSE(session.is_open());
  EXPECT_EQ(closed, 1);
}

TEST_F(SessionTest, AnsweredHeartbeatsKeepTheSession) {
  start();
  managers.accept();
  for (int i = 0; i < 30; ++i) {
    world.run_for(seconds(1));
    managers.accept();
  }
  EXPECT_TRUE(session.is_open());
  EXPECT_EQ(attempts(), 1u);
}

TEST_F(SessionTest, AManagerThatNeverAnswersIsGivenUp) {
  start();
  world.run_for(kAcceptTimeout + kFirstRetryWait);
  EXPECT_EQ(attempts(), 2u);
  EXPECT_EQ(last_address(), "m2");
  EXPECT_EQ(closed, 0);
}

TEST_F(SessionTest, ALateWordOfAnOldStreamIsNotHeard) {
  start();
  FakeManagers::Stream& old = managers.current();
  managers.close(absl::UnavailableError("gone"));
  world.run_for(kFirstRetryWait);
  old.events.on_message(model::SessionAccepted{});
  EXPECT_FALSE(session.is_open());
}

TEST_F(SessionTest, NewManagersAreUsedFromTheNextAttemptOn) {
  start({"m1"});
  managers.accept();
  managers.send(model::ManagerList{{"m9", "m1"}});
  ASSERT_EQ(messages.size(), 1u);
  managers.close(absl::UnavailableError("gone"));
  world.run_for(kFirstRetryWait);
  EXPECT_EQ(last_address(), "m9");
}

TEST_F(SessionTest, AnEmptyListOfManagersIsIgnored) {
  start({"m1"});
  managers.accept();
  managers.send(model::ManagerList{});
  managers.close(absl::UnavailableError("gone"));
  world.run_for(kFirstRetryWait);
  EXPECT_EQ(last_address(), "m1");
}

TEST_F(SessionTest, AChangedDescriptionIsSentOnce) {
  start();
  managers.accept();
  model::NodeDescription changed;
  changed.hostname = "renamed";
  session.set_description(changed);
  session.set_description(changed);
  EXPECT_EQ(managers.received<model::NodeDescription>().size(), 1u);
}

TEST_F(SessionTest, ADescriptionThatChangesAfterTheHelloIsSentOnceAccepted) {
  start();
  model::NodeDescription changed;
  changed.hostname = "host";
  changed.manager_refusal = "the raft log is missing";
  session.set_description(changed);
  EXPECT_TRUE(managers.received<model::NodeDescription>().empty());
  managers.accept();
  ASSERT_EQ(managers.received<model::NodeDescription>().size(), 1u);
  EXPECT_EQ(managers.received<model::NodeDescription>()[0], changed);
}

TEST_F(SessionTest, RolesAreHandedOn) {
  start();
  managers.accept();
  managers.send(model::RoleChange{model::Role::manager});
  EXPECT_EQ(roles, (std::vector{model::Role::worker, model::Role::manager}));
  EXPECT_TRUE(messages.empty());
}

TEST_F(SessionTest, NothingHappensAfterStop) {
  start();
  managers.accept();
  session.stop();
  world.run_for(minutes(1));
  EXPECT_EQ(attempts(), 1u);
  EXPECT_EQ(heartbeats(), 0u);
  EXPECT_FALSE(managers.has_stream());
}

}  // namespace
}  // namespace swarm::agent
