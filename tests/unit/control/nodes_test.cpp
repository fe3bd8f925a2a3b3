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
  Status demote(const std::string& id, size_t reachable) {
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
  ASSERT_TRUE(apply(update_node(context(), NodeId("w"), 1, spec, 1)).ok());
  EXPECT_EQ(view().node(NodeId("w"))->spec, spec);
  EXPECT_EQ(view().node(NodeId("w"))->role, Role::worker);  // until its certificate says so
  const model::Position head = store.head();
  EXPECT_TRUE(apply(update_node(context(), NodeId("w"), 2, spec, 1)).ok());
  EXPECT_EQ(store.head(), head);
}

TEST_F(NodesTest, UpdateRefusesAStaleVersionAnUnknownNodeAndBadLabels) {
  given(node_of("w", Role::worker));
  EXPECT_TRUE(fails_with(apply(update_node(context(), NodeId("w"), 9, {}, 1)), StatusCode::kAborted,
                         "update out of sequence"));
  EXPECT_TRUE(fails_with(apply(update_node(context(), NodeId("x"), 1, {}, 1)),
                         StatusCode::kNotFound, "swarmctl node ls"));
  model::NodeSpec spec;
  spec.labels["two words"] = "";
  EXPECT_TRUE(fails_with(apply(update_node(context(), NodeId("w"), 1, spec, 1)),
                         StatusCode::kInvalidArgument, "two words"));
}

TEST_F(NodesTest, TheLastManagerCannotBeDemoted) {
  given(node_of("m1", Role::manager, 1), node_of("w", Role::worker));
  EXPECT_TRUE(fails_with(demote("m1", 1), StatusCode::kFailedPrecondition, "last manager"));
}

TEST_F(NodesTest, AManagerThatOnlyWasPromotedDoesNotCountAsAnother) {
  given(node_of("m1", Role::manager, 1), node_of("m2", Role::manager));
  EXPECT_TRUE(fails_with(demote("m1", 1), StatusCode::kFailedPrecondition, "last manager"));
  EXPECT_TRUE(demote("m2", 1).ok());
}

TEST_F(NodesTest, OfTwoManagersOnlyOneCanBeDemotedAtATime) {
  given(node_of("m1", Role::manager, 1), node_of("m2", Role::manager, 2));
  EXPECT_TRUE(demote("m1", 2).ok());
  EXPECT_TRUE(fails_with(demote("m2", 2), StatusCode::kFailedPrecondition, "last manager"));
}

TEST_F(NodesTest, DemotionThatLosesQuorumIsRefused) {
  given(node_of("m1", Role::manager, 1), node_of("m2", Role::manager, 2),
        node_of("m3", Role::manager, 3, NodeState::down));
  EXPECT_TRUE(fails_with(demote("m2", 2), StatusCode::kFailedPrecondition, "would lose quorum"));
  EXPECT_TRUE(demote("m3", 2).ok());  // the one that is gone may go
}

TEST_F(NodesTest, RemovalOfAManagerIsRefusedEvenByForce) {
  given(node_of("m1", Role::manager, 1, NodeState::down));
  for (bool force : {false, true}) {
    EXPECT_TRUE(fails_with(apply(remove_node(context(), "m1", force)),
                           StatusCode::kFailedPrecondition, "demote it first"));
  }
}

TEST_F(NodesTest, RemovalOfANodeThatIsUpNeedsForce) {
  given_cluster();
  given(node_of("w", Role::worker));
  EXPECT_TRUE(fails_with(apply(remove_node(context(), "host-w", false)),
                         StatusCode::kFailedPrecondition, "is not down and can't be removed"));
  EXPECT_TRUE(apply(remove_node(context(), "host-w", true)).ok());
  EXPECT_TRUE(fails_with(apply(remove_node(context(), "host-w", true)), StatusCode::kNotFound,
                         "not found"));
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
  ASSERT_TRUE(apply(remove_node(context(), "w", false)).ok());
  EXPECT_EQ(view().node(NodeId("w")), nullptr);
  EXPECT_TRUE(view().cluster()->removed_nodes.contains(NodeId("w")));
  EXPECT_EQ(view().task(model::TaskId("t1"))->status.state, TaskState::orphaned);
  EXPECT_EQ(view().task(model::TaskId("t1"))->desired, TaskState::running);
  EXPECT_EQ(view().task(model::TaskId("t2"))->status.state, TaskState::failed);
}

}  // namespace
}  // namespace swarm::control
