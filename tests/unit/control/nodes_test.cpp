#include "control/nodes.h"

#include <gmock/gmock.h>

#include "unit/control/control_fixture.h"

namespace swarm::control {
namespace {

using absl::StatusCode;
using model::NodeId;
using model::NodeState;
using model::Role;
using model::TaskState;

class NodesTest : public ControlTest {
 protected:
  using Reachable = std::set<model::MemberId>;

  static Reachable members(std::initializer_list<uint64_t> ids) {
    Reachable reachable;
    for (const uint64_t id : ids) {
      reachable.insert(model::MemberId(id));
    }
    return reachable;
  }
  Status remove(const std::string& reference, bool force, const Reachable& reachable = {}) {
    return apply(remove_node(context(), reference, force, reachable));
  }
  Status demote(const std::string& id, const Reachable& reachable) {
    const state::NodePtr node = view().node(NodeId(id));
    model::NodeSpec spec = node->spec;
    spec.role = Role::worker;
    return apply(update_node(context(), node->id, node->meta.version, spec, reachable));
  }
  void given_cluster() {
    model::Cluster cluster;
    cluster.id = model::SwarmId("swarm");
    given(cluster);
  }
};

TEST_F(NodesTest, UpdateChangesAvailabilityLabelsAndRole) {
  given(node_of("w", Role::worker));
  model::NodeSpec spec;
  spec.availability = model::Availability::drain;
  spec.labels["zone"] = "a";
  spec.role = Role::manager;
  ASSERT_TRUE(apply(update_node(context(), NodeId("w"), 1, spec, {})).ok());
  EXPECT_EQ(view().node(NodeId("w"))->spec, spec);
  EXPECT_EQ(view().node(NodeId("w"))->role, Role::worker);  // until its certificate says so
  const model::Position head = store.head();
  EXPECT_TRUE(apply(update_node(context(), NodeId("w"), 2, spec, {})).ok());
  EXPECT_EQ(store.head(), head);
}

TEST_F(NodesTest, UpdateRefusesAStaleVersionAnUnknownNodeAndBadLabels) {
  given(node_of("w", Role::worker));
  EXPECT_TRUE(fails_with(apply(update_node(context(), NodeId("w"), 9, {}, {})),
                         StatusCode::kAborted, "update out of sequence"));
  EXPECT_TRUE(fails_with(apply(update_node(context(), NodeId("x"), 1, {}, {})),
                         StatusCode::kNotFound, "swarmctl node ls"));
  model::NodeSpec spec;
  spec.labels["two words"] = "";
  EXPECT_TRUE(fails_with(apply(update_node(context(), NodeId("w"), 1, spec, {})),
                         StatusCode::kInvalidArgument, "two words"));
}

TEST_F(NodesTest, TheLastManagerCannotBeDemoted) {
  given(node_of("m1", Role::manager, 1), node_of("w", Role::worker));
  EXPECT_TRUE(
      fails_with(demote("m1", members({1})), StatusCode::kFailedPrecondition, "last manager"));
}

TEST_F(NodesTest, AManagerThatOnlyWasPromotedDoesNotCountAsAnother) {
  given(node_of("m1", Role::manager, 1), node_of("m2", Role::manager));
  EXPECT_TRUE(
      fails_with(demote("m1", members({1})), StatusCode::kFailedPrecondition, "last manager"));
  EXPECT_TRUE(demote("m2", members({1})).ok());
}

TEST_F(NodesTest, OfTwoManagersOnlyOneCanBeDemotedAtATime) {
  given(node_of("m1", Role::manager, 1), node_of("m2", Role::manager, 2));
  EXPECT_TRUE(demote("m1", members({1, 2})).ok());
  EXPECT_TRUE(
      fails_with(demote("m2", members({1, 2})), StatusCode::kFailedPrecondition, "last manager"));
}

TEST_F(NodesTest, DemotionThatLosesQuorumIsRefused) {
  given(node_of("m1", Role::manager, 1), node_of("m2", Role::manager, 2),
        node_of("m3", Role::manager, 3));
  EXPECT_TRUE(fails_with(demote("m2", members({1, 2})), StatusCode::kFailedPrecondition,
                         "demoting node host-m2 would lose quorum: of the 2 resulting managers, "
                         "these are unreachable: node host-m3"));
  EXPECT_TRUE(demote("m3", members({1, 2})).ok());  // the one that is gone may go
}

// A demotion that was accepted counts before the group has carried it out: four managers, one of
// them dead, and two that are demoted at the same moment through different managers.
TEST_F(NodesTest, DemotionsAreDecidedAgainstTheManagersThatWillBeLeft) {
  for (const auto& [first, second] : {std::pair{"m2", "m3"}, std::pair{"m3", "m2"}}) {
    for (const char* const id : {"m1", "m2", "m3", "m4"}) {
      if (view().node(NodeId(id)) != nullptr) {
        model::Node again = *view().node(NodeId(id));
        again.spec.role = Role::manager;
        given(again);
      } else {
        given(node_of(id, Role::manager, static_cast<uint64_t>(id[1] - '0')));
      }
    }
    ASSERT_TRUE(demote(first, members({1, 2, 3})).ok());
    EXPECT_TRUE(fails_with(demote(second, members({1, 2, 3})), StatusCode::kFailedPrecondition,
                           "would lose quorum: of the 2 resulting managers, these are "
                           "unreachable: node host-m4"));
    EXPECT_TRUE(demote("m4", members({1, 2, 3})).ok()) << "the dead one may go";
  }
}

TEST_F(NodesTest, AManagerThatIsReachableIsNotRemovedEvenByForce) {
  given(node_of("m1", Role::manager, 1), node_of("m2", Role::manager, 2),
        node_of("m3", Role::manager, 3, NodeState::down));
  for (const bool force : {false, true}) {
    EXPECT_TRUE(fails_with(remove("m2", force, members({1, 2})), StatusCode::kFailedPrecondition,
                           "demote it first"));
  }
}

TEST_F(NodesTest, AManagerThatNeverAnsweredIsRemovedByForceWhenTheOthersAreAQuorum) {
  given_cluster();
  given(node_of("m1", Role::manager, 1), node_of("ghost", Role::manager, 2, NodeState::unknown));
  EXPECT_TRUE(
      fails_with(remove("ghost", false, members({1})), StatusCode::kFailedPrecondition, "--force"));
  EXPECT_TRUE(fails_with(remove("ghost", true, members({})), StatusCode::kFailedPrecondition,
                         "would lose quorum"));
  ASSERT_TRUE(remove("ghost", true, members({1})).ok());
  EXPECT_EQ(view().node(NodeId("ghost")), nullptr);
  EXPECT_TRUE(view().cluster()->removed_members.contains(model::MemberId(2)));
  EXPECT_TRUE(view().cluster()->removed_nodes.contains(NodeId("ghost")));
}

TEST_F(NodesTest, APromotionThatIsGivenUpLeavesAWorkerThatSaysWhy) {
  given_cluster();
  given(node_of("w", Role::manager));
  ASSERT_TRUE(apply(give_up_promotion(context(), NodeId("w"), "nobody reaches it")).ok());
  EXPECT_EQ(view().node(NodeId("w"))->spec.role, Role::worker);
  EXPECT_EQ(view().node(NodeId("w"))->status.message, "not promoted: nobody reaches it");
}

TEST_F(NodesTest, ANodeThatWasNeverHeardOfLeavesNothingBehindWhenItsEntryIsGivenUp) {
  given_cluster();
  model::Node fresh;
  fresh.id = NodeId("fresh");
  fresh.spec.role = Role::manager;
  given(fresh);
  ASSERT_TRUE(apply(give_up_promotion(context(), NodeId("fresh"), "nobody reaches it")).ok());
  EXPECT_EQ(view().node(NodeId("fresh")), nullptr);
}

TEST_F(NodesTest, RemovalOfANodeThatIsUpNeedsForce) {
  given_cluster();
  given(node_of("w", Role::worker));
  EXPECT_TRUE(fails_with(remove("host-w", false), StatusCode::kFailedPrecondition,
                         "is not down and cannot be removed"));
  EXPECT_TRUE(remove("host-w", true).ok());
  EXPECT_TRUE(fails_with(remove("host-w", true), StatusCode::kNotFound, "not found"));
}

TEST_F(NodesTest, RemovalRefusesTheCertificateAndOrphansTheTasks) {
  given_cluster();
  given(node_of("w", Role::worker, 0, NodeState::down));
  ASSERT_TRUE(create(spec_of("web")).ok());
  model::Task running = task_of("web", "t1", 1);
  running.node = NodeId("w");
  model::Task over = task_of("web", "t2", 1);
  over.node = NodeId("w");
  over.status.state = TaskState::failed;
  given(running, over);
  ASSERT_TRUE(remove("w", false).ok());
  EXPECT_EQ(view().node(NodeId("w")), nullptr);
  EXPECT_TRUE(view().cluster()->removed_nodes.contains(NodeId("w")));
  EXPECT_EQ(view().task(model::TaskId("t1"))->status.state, TaskState::orphaned);
  EXPECT_EQ(view().task(model::TaskId("t1"))->desired, TaskState::running);
  EXPECT_EQ(view().task(model::TaskId("t2"))->status.state, TaskState::failed);
}

}  // namespace
}  // namespace swarm::control
