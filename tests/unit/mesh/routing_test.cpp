#include "mesh/routing.h"

#include <gtest/gtest.h>

#include <set>

namespace swarm::mesh {
namespace {

using model::EndpointState;
using model::PublishMode;

const TimePoint kNow{seconds(100)};
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
  routing.retire(model::TaskId("t1"));
  EXPECT_EQ(chosen(), "");
  EXPECT_EQ(routing.address_of(model::TaskId("t1"), 80).status().code(),
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
  for (int i = 0; i < 30; ++i) {
    routing.connection_opened(model::TaskId(chosen()));
  }
  for (const char* task : {"t1", "t2", "t3"}) {
    EXPECT_EQ(routing.connections(model::TaskId(task)), 10u);
  }
  routing.connection_closed(model::TaskId("t2"));
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
  EXPECT_EQ(routing.address_of(model::TaskId("t1"), 81).value(), "a:2");
  EXPECT_EQ(routing.address_of(model::TaskId("t1"), 82).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(routing.address_of(model::TaskId("t2"), 80).value(), "b:1");
  EXPECT_EQ(routing.address_of(model::TaskId("t9"), 80).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RoutingTest, ATaskIsDrainedWhenItsLastConnectionEnds) {
  const model::TaskId task("t1");
  EXPECT_TRUE(routing.is_drained(task)) << "never admitted";
  routing.admit(local("t1"));
  EXPECT_FALSE(routing.is_drained(task)) << "admitted, though without connections";
  routing.connection_opened(task);
  routing.connection_opened(task);
  routing.retire(task);
  routing.connection_closed(task);
  EXPECT_FALSE(routing.is_drained(task));
  routing.connection_closed(task);
  EXPECT_TRUE(routing.is_drained(task));
}

TEST_F(RoutingTest, AHostPortStaysOpenForAWhileAfterTheLastTask) {
  auto table = table_with({});
  table.services[0].ports[0].mode = PublishMode::host;
  routing.set_table(table);
  EXPECT_TRUE(routing.plan({}, kNow).open.empty());
  routing.admit(local("t1"));
  EXPECT_EQ(routing.plan({}, kNow).open.size(), 1u);
  routing.retire(model::TaskId("t1"));
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
  EXPECT_EQ(routing.retire_unclaimed(), std::vector<model::TaskId>{model::TaskId("stale")});
  EXPECT_FALSE(routing.is_drained(model::TaskId("claimed")));
  EXPECT_FALSE(routing.is_drained(model::TaskId("named")));
  EXPECT_TRUE(routing.is_drained(model::TaskId("stale")));
}

}  // namespace
}  // namespace swarm::mesh
