#include "control/recovery.h"

#include <gmock/gmock.h>

#include "control/swarm.h"
#include "unit/control/control_fixture.h"

namespace swarm::control {
namespace {

using absl::StatusCode;
using model::MemberId;
using model::NodeId;
using model::Role;

class RecoveryTest : public ControlTest {
 protected:
  // Managers m1 and m2, members 1 and 2; a worker w; one that was promoted and never joined.
  void given_swarm() {
    model::Cluster cluster;
    cluster.id = model::SwarmId("swarm");
    cluster.ca_key = "key";
    cluster.worker_token_secret = "worker-secret";
    cluster.manager_token_secret = "manager-secret";
    model::Node first;
    first.id = NodeId("m1");
    first.manager = model::ManagerStatus{MemberId(1), "10.0.0.1:2377"};
    ASSERT_TRUE(apply(create_cluster(context(), cluster, first)).ok());
    model::Node second = node_of("m2", Role::manager);
    second.manager = model::ManagerStatus{MemberId(2), "10.0.0.2:2377"};
    state::ChangeSet changes;
    changes.put(second);
    changes.put(node_of("w", Role::worker));
    changes.put(node_of("promoted", Role::manager));
    ASSERT_TRUE(apply(std::move(changes)).ok());
  }
  static model::Node at(const std::string& id, uint64_t member, const std::string& address) {
    model::Node node;
    node.id = NodeId(id);
    node.manager = model::ManagerStatus{MemberId(member), address};
    return node;
  }
  const model::Node& node(const std::string& id) const { return *view().node(NodeId(id)); }
};

TEST_F(RecoveryTest, ASurvivorIsTheOnlyManager) {
  given_swarm();
  ASSERT_TRUE(apply(recover_swarm(context(), at("m2", 2, "10.0.0.9:2377"))).ok());
  EXPECT_FALSE(node("m1").manager.has_value());
  EXPECT_EQ(node("m1").spec.role, Role::worker) << "if it comes back, it is told to be one";
  EXPECT_EQ(node("promoted").spec.role, Role::worker);
  EXPECT_EQ(node("m2").manager, (model::ManagerStatus{MemberId(2), "10.0.0.9:2377"}));
  EXPECT_EQ(node("m2").spec.role, Role::manager);
  EXPECT_EQ(node("w").meta.version, 2u) << "not touched";
  EXPECT_THAT(view().cluster()->removed_members, testing::ElementsAre(MemberId(1)));
}

TEST_F(RecoveryTest, KeepsTheAuthorityAndTheTokensAndCountsItself) {
  given_swarm();
  ASSERT_TRUE(apply(recover_swarm(context(), at("m1", 1, "10.0.0.1:2377"))).ok());
  EXPECT_EQ(view().cluster()->id, model::SwarmId("swarm"));
  EXPECT_EQ(view().cluster()->ca_key, "key");
  EXPECT_EQ(view().cluster()->worker_token_secret, "worker-secret");
  EXPECT_EQ(view().cluster()->recoveries, 1u);
  ASSERT_TRUE(apply(recover_swarm(context(), at("m1", 1, "10.0.0.1:2377"))).ok());
  EXPECT_EQ(view().cluster()->recoveries, 2u);
}

TEST_F(RecoveryTest, ANodeTheSwarmDoesNotKnowTakesThePlaceOfAllManagers) {
  given_swarm();
  ASSERT_TRUE(apply(recover_swarm(context(), at("fresh", 7, "10.0.0.1:2377"))).ok());
  EXPECT_EQ(node("fresh").role, Role::manager);
  EXPECT_EQ(node("fresh").manager->member, MemberId(7));
  EXPECT_FALSE(node("m1").manager.has_value());
  EXPECT_FALSE(node("m2").manager.has_value());
  EXPECT_THAT(view().cluster()->removed_members, testing::ElementsAre(MemberId(1), MemberId(2)));
}

TEST_F(RecoveryTest, NeedsASwarm) {
  EXPECT_TRUE(fails_with(apply(recover_swarm(context(), at("m1", 1, "a:1"))),
                         StatusCode::kFailedPrecondition, "no swarm to recover"));
}

}  // namespace
}  // namespace swarm::control
