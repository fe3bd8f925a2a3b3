#include "mesh/routing.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace swarm::mesh {
namespace {

using model::EndpointState;
using model::PublishMode;

const TimePoint kNow{seconds(100)};
constexpr Duration kDrainTimeout = seconds(30);
const RouteKey kIngress{model::ServiceId("web"), 80, PublishMode::ingress};
const RouteKey kHost{model::ServiceId("web"), 80, PublishMode::host};

model::Endpoint endpoint(std::string task, std::string node,
                         EndpointState state = EndpointState::ready) {
  return {model::TaskId(std::move(task)), model::NodeId(node), node + ":7946", state};
}

model::MeshTable table_with(std::vector<model::Endpoint> endpoints, model::Position position = 1) {
  return {position, {{model::ServiceId("web"), "web", {{80, 8080}}, std::move(endpoints)}}, {}};
}

LocalTask local(std::string task, std::vector<TargetAddress> addresses = {{80, "127.0.0.1:1"}}) {
  return {model::TaskId(std::move(task)), model::ServiceId("web"), std::move(addresses)};
}

class RoutingTest : public ::testing::Test {
 protected:
  std::string chosen(const RouteKey& key = kIngress, TimePoint now = kNow) {
    const Choice choice = routing.choose(key, now);
    return choice.kind == Choice::Kind::route ? choice.route.task.value() : "";
  }
  std::set<std::string> all_chosen(const RouteKey& key = kIngress) {
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) seen.insert(chosen(key));
    return seen;
  }

  Routing routing{model::NodeId("self"), Random(1)};
};

TEST_F(RoutingTest, AnOlderTableNeverReplacesANewerOne) {
  EXPECT_TRUE(routing.set_table(table_with({endpoint("t1", "n1")}, 5)));
  EXPECT_FALSE(routing.set_table(table_with({}, 4)));
  EXPECT_EQ(chosen(), "t1");
  EXPECT_TRUE(routing.set_table(table_with({}, 6)));
  EXPECT_EQ(chosen(), "");
}

TEST_F(RoutingTest, AServiceThatIsNotPublishedIsGone) {
  EXPECT_EQ(routing.choose(kIngress, kNow).kind, Choice::Kind::gone);
  routing.set_table(table_with({}));
  EXPECT_EQ(routing.choose(kIngress, kNow).kind, Choice::Kind::wait);
}

TEST_F(RoutingTest, ARemoteTaskIsReachedThroughTheMeshOfItsNode) {
  routing.set_table(table_with({endpoint("t1", "n1")}));
  const Choice choice = routing.choose(kIngress, kNow);
  EXPECT_EQ(choice.route, (Route{model::TaskId("t1"), false, "n1:7946", model::NodeId("n1")}));
}

TEST_F(RoutingTest, ALocalTaskIsUsedAsSoonAsItIsAdmittedAndNotBefore) {
  routing.set_table(table_with({endpoint("t1", "self")}));
  EXPECT_EQ(chosen(), "") << "the table alone is not enough";
  routing.set_table(table_with({}, 2));
  routing.admit(local("t2"));
  const Choice choice = routing.choose(kIngress, kNow);
  EXPECT_EQ(choice.route, (Route{model::TaskId("t2"), true, "127.0.0.1:1", model::NodeId("self")}));
}

TEST_F(RoutingTest, ARetiredTaskGetsNothingNewWhateverTheTableSays) {
  routing.set_table(table_with({endpoint("t1", "self")}));
  routing.admit(local("t1"));
  routing.retire(model::TaskId("t1"), kNow, kDrainTimeout);
  EXPECT_EQ(chosen(), "");
  EXPECT_EQ(routing.address_of(model::TaskId("t1"), 80, kNow).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RoutingTest, HostModeUsesOnlyLocalTasks) {
  routing.set_table(table_with({endpoint("t1", "n1"), endpoint("t2", "self")}));
  EXPECT_EQ(chosen(kHost), "");
  routing.admit(local("t2"));
  EXPECT_EQ(all_chosen(kHost), (std::set<std::string>{"t2"}));
  EXPECT_EQ(all_chosen(kIngress), (std::set<std::string>{"t1", "t2"}));
}

TEST_F(RoutingTest, TheTaskWithTheFewestConnectionsIsChosen) {
  routing.set_table(table_with({endpoint("t1", "n1"), endpoint("t2", "n2"), endpoint("t3", "n3")}));
  std::map<std::string, uint64_t> last;
  for (int i = 0; i < 30; ++i) {
    const std::string task = chosen();
    last[task] = routing.connection_opened(model::TaskId(task));
  }
  for (const char* task : {"t1", "t2", "t3"}) {
    EXPECT_EQ(routing.connections(model::TaskId(task)), 10u);
  }
  routing.connection_closed(model::TaskId("t2"), last["t2"]);
  EXPECT_EQ(all_chosen(), std::set<std::string>{"t2"});
}

TEST_F(RoutingTest, DrainingAndUnconfirmedTasksAreTheLastResort) {
  routing.set_table(
      table_with({endpoint("t1", "n1"), endpoint("t2", "n2", EndpointState::draining)}));
  routing.admit(local("t3"));
  EXPECT_EQ(all_chosen(), std::set<std::string>{"t1"});
  routing.set_table(table_with({endpoint("t2", "n2", EndpointState::draining)}, 2));
  EXPECT_EQ(all_chosen(), (std::set<std::string>{"t2", "t3"}));
}

TEST_F(RoutingTest, AnEndpointThatFailedIsAvoidedForAMoment) {
  routing.set_table(table_with({endpoint("t1", "n1"), endpoint("t2", "n2")}));
  routing.avoid(model::TaskId("t1"), kNow);
  EXPECT_EQ(all_chosen(), std::set<std::string>{"t2"});
  routing.avoid(model::TaskId("t2"), kNow + milliseconds(10));
  const Choice choice = routing.choose(kIngress, kNow + milliseconds(20));
  EXPECT_EQ(choice.kind, Choice::Kind::wait);
  EXPECT_EQ(choice.retry_at, kNow + kAvoidAfterFailure);
  EXPECT_EQ(chosen(kIngress, kNow + kAvoidAfterFailure), "t1");
}

TEST_F(RoutingTest, AnEndpointThatFailsAgainAndAgainIsTheLastChoiceForAWhile) {
  routing.set_table(table_with({endpoint("t1", "n1"), endpoint("t2", "n2")}));
  TimePoint now = kNow;
  for (int i = 0; i < kFailuresToDoubt; ++i) {
    routing.avoid(model::TaskId("t1"), now);
    now += kAvoidAfterFailure;
  }
  // Busier by far, but it answers.
  for (int i = 0; i < 5; ++i) {
    routing.connection_opened(model::TaskId("t2"));
  }
  EXPECT_EQ(chosen(kIngress, now), "t2");
  routing.avoid(model::TaskId("t2"), now);
  EXPECT_EQ(chosen(kIngress, now), "t1");  // better than nobody
  now += kDoubtAfterFailures;
  EXPECT_EQ(chosen(kIngress, now), "t1");  // it gets another chance
  routing.avoid(model::TaskId("t1"), now);
  routing.trust(model::TaskId("t1"));
  EXPECT_EQ(chosen(kIngress, now), "t1");
}

TEST_F(RoutingTest, NewsAboutAnEndpointEndsItsAvoidance) {
  routing.set_table(table_with({endpoint("t1", "n1")}));
  routing.avoid(model::TaskId("t1"), kNow);
  routing.set_table(table_with({endpoint("t1", "n1")}, 2));
  EXPECT_EQ(chosen(), "t1");
  routing.admit(local("t2"));
  routing.avoid(model::TaskId("t2"), kNow);
  routing.admit(local("t2"));
  EXPECT_EQ(chosen(kHost), "t2");
}

TEST_F(RoutingTest, TheOwnerKnowsEachTargetAndASoleAddressServesAChangedOne) {
  routing.admit(local("t1", {{80, "a:1"}, {81, "a:2"}}));
  routing.admit(local("t2", {{8080, "b:1"}}));
  EXPECT_EQ(routing.address_of(model::TaskId("t1"), 81, kNow).value(), "a:2");
  EXPECT_EQ(routing.address_of(model::TaskId("t1"), 82, kNow).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(routing.address_of(model::TaskId("t2"), 80, kNow).value(), "b:1");
  EXPECT_EQ(routing.address_of(model::TaskId("t9"), 80, kNow).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RoutingTest, ASoleAddressThatIsPublishedItselfServesNoOtherPort) {
  model::MeshTable table = table_with({endpoint("t1", "self")});
  table.services[0].ports = {{80, 8080}, {81, 8081}};
  ASSERT_TRUE(routing.set_table(table));
  routing.admit(local("t1", {{80, "a:1"}}));
  EXPECT_EQ(chosen(), "t1");
  EXPECT_EQ(chosen({model::ServiceId("web"), 81, PublishMode::ingress}), "");
  EXPECT_FALSE(routing.address_of(model::TaskId("t1"), 81, kNow).ok());
  routing.admit(local("t1", {{80, "a:1"}, {81, "a:2"}}));
  EXPECT_EQ(routing.address_of(model::TaskId("t1"), 81, kNow).value(), "a:2");
}

TEST_F(RoutingTest, ATaskIsDrainedWhenItsLastConnectionEnds) {
  const model::TaskId task("t1");
  EXPECT_TRUE(routing.is_drained(task)) << "never admitted";
  routing.admit(local("t1"));
  EXPECT_FALSE(routing.is_drained(task)) << "admitted, though without connections";
  const uint64_t one = routing.connection_opened(task);
  const uint64_t two = routing.connection_opened(task);
  routing.retire(task, kNow, kDrainTimeout);
  routing.connection_closed(task, two);
  EXPECT_FALSE(routing.is_drained(task));
  routing.connection_closed(task, one);
  EXPECT_TRUE(routing.is_drained(task));
}

TEST_F(RoutingTest, AHostPortStaysOpenForAWhileAfterTheLastTask) {
  auto table = table_with({});
  table.services[0].ports[0].mode = PublishMode::host;
  routing.set_table(table);
  EXPECT_TRUE(routing.plan({}, kNow).open.empty());
  routing.admit(local("t1"));
  EXPECT_EQ(routing.plan({}, kNow).open.size(), 1u);
  routing.retire(model::TaskId("t1"), kNow, kDrainTimeout);
  routing.forget(model::TaskId("t1"), kNow);
  EXPECT_EQ(routing.plan({}, kNow).open.size(), 1u);
  EXPECT_EQ(routing.next_plan_change(kNow), kNow + kDefaultHold);
  EXPECT_TRUE(routing.plan({}, kNow + kDefaultHold).open.empty());
  EXPECT_EQ(routing.next_plan_change(kNow + kDefaultHold), TimePoint::max());
}

TEST_F(RoutingTest, ANewSwarmdKeepsWhatItClaimsAndWhatTheTableNames) {
  for (const char* task : {"claimed", "named", "stale"}) routing.admit(local(task));
  routing.begin_claims();
  routing.admit(local("claimed"));
  routing.set_table(table_with({endpoint("named", "self")}));
  EXPECT_EQ(routing.retire_unclaimed(kNow), std::vector<model::TaskId>{model::TaskId("stale")});
  EXPECT_FALSE(routing.is_drained(model::TaskId("claimed")));
  EXPECT_FALSE(routing.is_drained(model::TaskId("named")));
  EXPECT_TRUE(routing.is_drained(model::TaskId("stale")));
}

// A task of this node that drains while one connection does not end, and when its drain is open.
class StuckClient : public RoutingTest {
 protected:
  StuckClient() {
    routing.set_table(table_with({endpoint("t1", "self", EndpointState::draining)}));
    routing.admit(local("t1"));
    stuck = routing.connection_opened(t1);
  }
  void retire(Duration timeout = kDrainTimeout) { routing.retire(t1, kNow, timeout); }
  TaskDrain::Change advance(TimePoint now = kOpen) { return routing.advance_drain(t1, now); }
  bool serves_others(TimePoint now) { return routing.address_of(t1, 80, now).ok(); }

  static constexpr TimePoint kOpen = TimePoint(seconds(100)) + kQuietTime;
  const model::TaskId t1{"t1"};
  uint64_t stuck = 0;
};

TEST_F(StuckClient, LeavesTheTaskToTheOthersAfterTheQuietTime) {
  retire();
  EXPECT_EQ(routing.next_drain_change(), kOpen);
  EXPECT_EQ(advance(kOpen - milliseconds(1)), TaskDrain::Change::none);
  EXPECT_EQ(chosen(), "");
  EXPECT_EQ(advance(), TaskDrain::Change::opened);
  EXPECT_EQ(chosen(kIngress, kOpen), "t1");
  EXPECT_EQ(chosen(kHost, kOpen), "t1");
  EXPECT_TRUE(serves_others(kOpen)) << "for other nodes, too";
}

TEST_F(StuckClient, DoesNotMatterWhileAnotherTaskIsReady) {
  retire();
  advance();
  routing.admit(local("t2"));
  EXPECT_EQ(chosen(kIngress, kOpen), "t2");
  EXPECT_FALSE(serves_others(kOpen));
  routing.retire(model::TaskId("t2"), kOpen, kDrainTimeout);
  EXPECT_EQ(chosen(kIngress, kOpen), "t1");
  routing.set_table(table_with({endpoint("t3", "n3")}, 2));
  EXPECT_EQ(chosen(kIngress, kOpen), "t3");
  EXPECT_FALSE(serves_others(kOpen));
  // It does not answer: then this one is the last resort after all.
  routing.avoid(model::TaskId("t3"), kOpen);
  EXPECT_EQ(chosen(kIngress, kOpen), "t1");
  EXPECT_TRUE(serves_others(kOpen));
}

TEST_F(StuckClient, EndsTheDrainWhenItEndsWhateverTheLoad) {
  retire();
  advance();
  const uint64_t late = routing.connection_opened(t1);
  routing.connection_closed(t1, stuck);
  EXPECT_EQ(advance(kOpen + seconds(1)), TaskDrain::Change::closed);
  EXPECT_EQ(chosen(kIngress, kOpen + seconds(1)), "");
  routing.connection_closed(t1, late);
  EXPECT_TRUE(routing.is_drained(t1));
}

TEST_F(StuckClient, MayBeOneThatCameLate) {
  retire();
  advance();
  routing.connection_opened(t1);
  routing.connection_closed(t1, stuck);
  EXPECT_EQ(advance(kOpen + seconds(1)), TaskDrain::Change::closed);
  EXPECT_EQ(advance(kOpen + seconds(1) + kQuietTime), TaskDrain::Change::opened);
}

TEST_F(StuckClient, IsTheLastOfItsTaskBeforeTheStopSignal) {
  retire();
  advance();
  EXPECT_EQ(routing.next_drain_change(), kNow + kDrainTimeout - kLastCall);
  EXPECT_EQ(advance(kNow + kDrainTimeout - kLastCall), TaskDrain::Change::closed);
  EXPECT_FALSE(serves_others(kNow + kDrainTimeout - kLastCall));
  EXPECT_EQ(advance(kNow + kDrainTimeout), TaskDrain::Change::none);
  EXPECT_EQ(routing.next_drain_change(), TimePoint::max());
}

TEST_F(StuckClient, OfATaskThatDoesNotWorkOrOfARemovedServiceChangesNothing) {
  retire(Duration{0});
  retire();
  EXPECT_EQ(advance(), TaskDrain::Change::none);
  routing.admit(local("t1"));
  retire();
  EXPECT_EQ(advance(), TaskDrain::Change::opened);
  model::MeshTable removed = table_with({endpoint("t1", "self", EndpointState::draining)}, 2);
  removed.services[0].ports.clear();
  routing.set_table(removed);
  EXPECT_EQ(chosen(kIngress, kOpen), "");
}

}  // namespace
}  // namespace swarm::mesh
