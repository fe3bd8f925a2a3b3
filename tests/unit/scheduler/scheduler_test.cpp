#include "scheduler/scheduler.h"

#include "unit/scheduler/fixture.h"

namespace swarm::scheduler {
namespace {

using model::NodeState;
using model::TaskState;
using model::WaitReason;
using test::kCpu;
using test::kMiB;

using Counts = std::map<std::string, int>;

Cluster::TemplateEdit asking_for_memory(int64_t mebibytes) {
  return [mebibytes](model::TaskTemplate& task) {
    task.resources.edit().reservations.memory_bytes = mebibytes * kMiB;
  };
}

void publish_8080_on_host(model::TaskTemplate& task) {
  task.ports = {{80, 8080, model::PortProtocol::tcp, model::PublishMode::host}};
}

TEST(Scheduler, SpreadsReplicasEvenly) {
  Cluster cluster;
  cluster.add_nodes(3);
  const model::Service web = test::service_of("web", 6);
  cluster.add(web);
  cluster.add_pending(web, 6);
  EXPECT_EQ(cluster.counts(), (Counts{{"node1", 2}, {"node2", 2}, {"node3", 2}}));
  const model::Task task = cluster.task("web.000001");
  EXPECT_EQ(task.status.state, TaskState::assigned);
  EXPECT_EQ(task.status.wait, WaitReason::none);
  EXPECT_EQ(task.status.at, cluster.now());
}

TEST(Scheduler, PlacesByOwnCountThenTotalThenId) {
  Cluster cluster;
  cluster.add_nodes(3);
  const model::Service other = test::service_of("other", 1);
  const model::Service web = test::service_of("web", 1);
  cluster.add(other);
  cluster.add(web);
  cluster.add(test::running_task(other, "o1", 1, "node1"));
  cluster.add_pending(web, 3);
  EXPECT_EQ(cluster.task("web.000001").node, model::NodeId("node2"));
  EXPECT_EQ(cluster.task("web.000002").node, model::NodeId("node3"));
  EXPECT_EQ(cluster.task("web.000003").node, model::NodeId("node1"));
}

TEST(Scheduler, NodesThatAreNotReadyAndActiveGetNothing) {
  Cluster cluster;
  cluster.add_nodes(6);
  cluster.change_node("node1", [](model::Node& node) { node.status.state = NodeState::suspect; });
  cluster.change_node("node2", [](model::Node& node) { node.status.state = NodeState::unknown; });
  cluster.change_node("node3", [](model::Node& node) { node.status.state = NodeState::down; });
  cluster.change_node(
      "node4", [](model::Node& node) { node.spec.availability = model::Availability::drain; });
  cluster.change_node(
      "node5", [](model::Node& node) { node.spec.availability = model::Availability::pause; });
  const model::Service web = test::service_of("web", 3);
  cluster.add(web);
  cluster.add_pending(web, 3);
  EXPECT_EQ(cluster.counts(), (Counts{{"node6", 3}}));
}

TEST(Scheduler, TaskThatFitsNowhereSaysWhyAndSaysItOnce) {
  Cluster cluster;
  cluster.add_nodes(3);
  cluster.change_node(
      "node3", [](model::Node& node) { node.spec.availability = model::Availability::drain; });
  const model::Service big = test::service_of("big", 1);
  cluster.add(big, asking_for_memory(2'000));
  cluster.add_pending(big, 1);
  model::Task task = cluster.task("big.000001");
  EXPECT_EQ(task.status.state, TaskState::pending);
  EXPECT_EQ(task.status.wait, WaitReason::no_suitable_node);
  EXPECT_EQ(task.status.message,
            "no suitable node (insufficient resources on 2 nodes; 1 node not available for new "
            "tasks)");
  EXPECT_EQ(task.status.error, task.status.message);
  const model::Position told = task.meta.version;
  cluster.change_node("node1", [](model::Node& node) { node.spec.labels["a"] = "b"; });
  EXPECT_EQ(cluster.task("big.000001").meta.version, told);
  cluster.change_node(
      "node1", [](model::Node& node) { node.spec.availability = model::Availability::drain; });
  EXPECT_EQ(cluster.task("big.000001").status.error,
            "no suitable node (2 nodes not available for new tasks; insufficient resources on 1 "
            "node)");
}

TEST(Scheduler, SwarmWithoutNodesIsNamedAsSuch) {
  Cluster cluster;
  const model::Service web = test::service_of("web", 1);
  cluster.add(web);
  cluster.add_pending(web, 1);
  EXPECT_EQ(cluster.task("web.000001").status.error, "no suitable node (the swarm has no nodes)");
}

TEST(Scheduler, PendingTaskIsPlacedWhenANodeComes) {
  Cluster cluster;
  const model::Service web = test::service_of("web", 1);
  cluster.add(web);
  cluster.add_pending(web, 1);
  cluster.add_nodes(1);
  const model::Task task = cluster.task("web.000001");
  EXPECT_EQ(task.node, model::NodeId("node1"));
  EXPECT_TRUE(task.status.error.empty());
  EXPECT_EQ(task.status.wait, WaitReason::none);
}

// Everything that a filter reads of a node: a change of it must be worth a round.
TEST(Scheduler, PendingTaskIsPlacedWhenItsNodeChanges) {
  using Change = std::function<void(model::Node&)>;
  const auto has = [](model::ConditionKind kind) -> Change {
    return [kind](model::Node& node) { node.status.conditions = {{kind, "a reason", {}}}; };
  };
  const std::vector<std::pair<std::string, Change>> changes = {
      {"engine", has(model::ConditionKind::engine)},
      {"mesh", has(model::ConditionKind::mesh)},
      {"state", [](model::Node& node) { node.status.state = NodeState::down; }},
      {"availability",
       [](model::Node& node) { node.spec.availability = model::Availability::drain; }},
      {"label", [](model::Node& node) { node.spec.labels = {{"zone", "b"}}; }},
      {"address", [](model::Node& node) { node.status.address = "10.9.0.2"; }},
      {"resources", [](model::Node& node) { node.description.resources = {}; }}};
  for (const auto& [what, change] : changes) {
    Cluster cluster;
    cluster.add_nodes(1);
    const Change good = [](model::Node& node) {
      const model::Meta meta = node.meta;
      node = test::labelled_node("node1", "zone", "a");
      node.status.address = "10.9.0.1";
      node.meta = meta;
    };
    cluster.change_node("node1", [&](model::Node& node) {
      good(node);
      change(node);
    });
    const model::Service web = test::service_of("web", 1);
    cluster.add(web, [](model::TaskTemplate& task) {
      publish_8080_on_host(task);
      task.resources.edit().reservations.memory_bytes = kMiB;
      task.placement.edit().constraints = {"node.labels.zone==a", "node.ip==10.9.0.1"};
    });
    cluster.add_pending(web, 1);
    EXPECT_TRUE(cluster.task("web.000001").node.is_empty()) << what;
    cluster.change_node("node1", good);
    EXPECT_EQ(cluster.task("web.000001").node, model::NodeId("node1")) << what;
  }
}

TEST(Scheduler, PendingTaskIsPlacedWhenATaskEndsOrGoes) {
  for (const bool is_removed : {false, true}) {
    Cluster cluster;
    cluster.add_nodes(1);
    const model::Service old = test::service_of("old", 1);
    const model::Service web = test::service_of("web", 1);
    cluster.add(old, asking_for_memory(800));
    cluster.add(web, asking_for_memory(800));
    cluster.add(test::running_task(old, "o1", 1, "node1"));
    cluster.add_pending(web, 1);
    ASSERT_EQ(cluster.unplaced(), 1U);
    if (is_removed) {
      state::ChangeSet changes;
      changes.remove(model::TaskId("o1"));
      cluster.commit(std::move(changes));
      cluster.run();
    } else {
      // Told to stop it still occupies; only when it has stopped there is room.
      cluster.change_task("o1", [](model::Task& task) { task.desired = TaskState::shutdown; });
      EXPECT_EQ(cluster.unplaced(), 1U);
      cluster.change_task("o1", [](model::Task& task) { task.status.state = TaskState::shutdown; });
    }
    EXPECT_EQ(cluster.unplaced(), 0U);
  }
}

TEST(Scheduler, ReservationsAreKeptAcrossLeaders) {
  Cluster cluster;
  cluster.add_nodes(2);
  const model::Service web = test::service_of("web", 1);
  cluster.add(web, asking_for_memory(600));
  cluster.add_pending(web, 1);
  cluster.new_leader();
  cluster.add_pending(web, 2, 2);
  EXPECT_EQ(cluster.counts(), (Counts{{"node1", 1}, {"node2", 1}}));
  EXPECT_EQ(cluster.unplaced(), 1U);
}

TEST(Scheduler, TaskThatIsNoLongerWantedIsNotPlaced) {
  Cluster cluster;
  const model::Service web = test::service_of("web", 2);
  cluster.add(web);
  cluster.add_pending(web, 2);
  cluster.change_task("web.000001", [](model::Task& task) { task.desired = TaskState::shutdown; });
  cluster.add_nodes(1);
  EXPECT_TRUE(cluster.task("web.000001").node.is_empty());
  EXPECT_FALSE(cluster.task("web.000002").node.is_empty());
}

TEST(Scheduler, HeldTaskGetsANodeAndKeepsItsReason) {
  Cluster cluster;
  cluster.add_nodes(1);
  const model::Service web = test::service_of("web", 2);
  cluster.add(web);
  model::Task delayed = test::pending_task(web, "delayed", 1);
  delayed.desired = TaskState::ready;
  delayed.status.wait = WaitReason::restart_delay;
  model::Task behind = test::pending_task(web, "behind", 2);
  behind.desired = TaskState::ready;
  behind.predecessor = model::TaskId("old");
  cluster.add(delayed);
  cluster.add(behind);
  EXPECT_EQ(cluster.task("delayed").status.wait, WaitReason::restart_delay);
  EXPECT_EQ(cluster.task("behind").status.wait, WaitReason::predecessor);
  EXPECT_EQ(cluster.task("behind").node, model::NodeId("node1"));
}

TEST(Scheduler, NodeWhereTheRevisionKeepsFailingComesLast) {
  Cluster cluster;
  cluster.add_nodes(2);
  const model::Service web = test::service_of("web", 1);
  cluster.add(web);
  for (int i = 0; i < 5; ++i) {
    model::Task failed = test::running_task(web, "f" + std::to_string(i), 9, "node1");
    failed.desired = TaskState::shutdown;
    cluster.add(failed);
    cluster.change_task("f" + std::to_string(i), [&](model::Task& task) {
      task.status.state = TaskState::failed;
      task.status.at = cluster.now();
    });
  }
  cluster.add_pending(web, 3);
  EXPECT_EQ(cluster.counts(), (Counts{{"node2", 3}}));
  // A new leader knows it from the records; after five minutes it is forgotten.
  cluster.new_leader();
  cluster.add_pending(web, 1, 4);
  EXPECT_EQ(cluster.counts(), (Counts{{"node2", 4}}));
  cluster.advance(minutes(5));
  cluster.add_pending(web, 1, 5);
  EXPECT_EQ(cluster.counts(), (Counts{{"node1", 1}, {"node2", 4}}));
}

TEST(Scheduler, FewFailuresDoNotCount) {
  Cluster cluster;
  cluster.add_nodes(2);
  const model::Service web = test::service_of("web", 1);
  cluster.add(web);
  for (int i = 0; i < 4; ++i) {
    model::Task failed = test::running_task(web, "f" + std::to_string(i), 9, "node1");
    failed.status.state = TaskState::failed;
    failed.status.at = cluster.now();
    failed.desired = TaskState::shutdown;
    cluster.add(failed);
  }
  cluster.add_pending(web, 1);
  EXPECT_EQ(cluster.counts(), (Counts{{"node1", 1}}));
}

TEST(Scheduler, StartFirstWorksWithOneReplicaPerNode) {
  Cluster cluster;
  cluster.add_nodes(2);
  const model::Service web = test::service_of("web", 2);
  cluster.add(web,
              [](model::TaskTemplate& task) { task.placement.edit().max_replicas_per_node = 1; });
  cluster.add(test::running_task(web, "old1", 1, "node1"));
  cluster.add(test::running_task(web, "old2", 2, "node2"));
  cluster.add(test::pending_task(web, "new2", 2));
  // Only the place of its own slot's old task is free for it.
  EXPECT_EQ(cluster.task("new2").node, model::NodeId("node2"));
  cluster.add(test::pending_task(web, "new3", 3));
  EXPECT_EQ(cluster.task("new3").status.error,
            "no suitable node (max replicas per node limit exceeded on 2 nodes)");
}

TEST(Scheduler, StartFirstStaysOnAFullNode) {
  Cluster cluster;
  cluster.add_nodes(1);
  const model::Service web = test::service_of("web", 1);
  cluster.add(web, asking_for_memory(800));
  cluster.add(test::running_task(web, "old", 1, "node1"));
  cluster.add(test::pending_task(web, "other", 2));
  EXPECT_TRUE(cluster.task("other").node.is_empty());
  cluster.add(test::pending_task(web, "new", 1));
  EXPECT_EQ(cluster.task("new").node, model::NodeId("node1"));

  Cluster roomy;
  roomy.add_nodes(2);
  roomy.add(web, asking_for_memory(800));
  roomy.add(test::running_task(web, "old", 1, "node1"));
  roomy.add(test::pending_task(web, "new", 1));
  EXPECT_EQ(roomy.task("new").node, model::NodeId("node1"));
}

TEST(Scheduler, OldTaskOnADrainedNodeDoesNotMakeWayThere) {
  Cluster cluster;
  cluster.add_nodes(1);
  const model::Service web = test::service_of("web", 1);
  cluster.add(web);
  cluster.add(test::running_task(web, "old", 1, "node1"));
  cluster.change_node(
      "node1", [](model::Node& node) { node.spec.availability = model::Availability::drain; });
  cluster.add(test::pending_task(web, "new", 1));
  EXPECT_EQ(cluster.unplaced(), 1U);
}

TEST(Scheduler, ServiceChangeRetriesItsTasks) {
  Cluster cluster;
  cluster.add_nodes(1);
  const model::Service big = test::service_of("big", 1);
  cluster.add(big, asking_for_memory(2'000));
  cluster.add_pending(big, 1);
  cluster.change_service(big, [](model::Service& service) { service.settings.replicas = 2; });
  EXPECT_EQ(cluster.unplaced(), 1U);
}

TEST(Scheduler, ThousandsOfTasksArePlacedInBoundedDecisions) {
  Cluster cluster;
  cluster.add_nodes(50);
  const model::Service web = test::service_of("web", 3'000);
  cluster.add(web);
  cluster.add_pending(web, 3'000);
  EXPECT_EQ(cluster.unplaced(), 0U);
  EXPECT_LE(cluster.largest_decision(), state::kMaxDecisions);
  for (const auto& [node, count] : cluster.counts()) {
    EXPECT_EQ(count, 60) << node;
  }
}

TEST(Scheduler, RemovedNodeAndServiceLeaveNothingBehind) {
  Cluster cluster;
  cluster.add_nodes(2);
  const model::Service web = test::service_of("web", 1);
  cluster.add(web, asking_for_memory(100));
  cluster.add_pending(web, 2);
  state::ChangeSet gone;
  gone.remove(model::NodeId("node1"));
  cluster.commit(std::move(gone));
  cluster.run();
  state::ChangeSet rest;
  rest.remove(model::TaskId("web.000001"));
  rest.remove(model::TaskId("web.000002"));
  rest.remove(state::RevisionKey{web.id, 1});
  rest.remove(web.id);
  cluster.commit(std::move(rest));
  cluster.run();
  const model::Service next = test::service_of("next", 1);
  cluster.add(next, asking_for_memory(1'000));
  cluster.add_pending(next, 1);
  EXPECT_EQ(cluster.counts(), (Counts{{"node2", 1}}));
}

TEST(Scheduler, WhoWaitsForAPortIsToldWhoHoldsIt) {
  Cluster cluster;
  cluster.add_nodes(1);
  const model::Service old = test::service_of("old", 1);
  cluster.add(old, publish_8080_on_host);
  cluster.add(test::running_task(old, "old.1", 1, "node1"));
  const model::Service web = test::service_of("web", 1);
  cluster.add(web, publish_8080_on_host);
  cluster.add_pending(web, 1);
  EXPECT_EQ(cluster.task("web.000001").status.error,
            "no suitable node (host-mode port already in use on 1 node: port 8080 on node "
            "host-node1 is held by old.1)");
  cluster.change_service(old, [](model::Service& service) { service.is_removed = true; });
  cluster.change_task("old.1", [](model::Task& task) { task.desired = TaskState::remove; });
  EXPECT_EQ(cluster.task("web.000001").status.error,
            "no suitable node (host-mode port already in use on 1 node: port 8080 on node "
            "host-node1 is held by old.1 (stopping))");
  cluster.change_task("old.1", [](model::Task& task) { task.status.state = TaskState::shutdown; });
  EXPECT_EQ(cluster.task("web.000001").status.state, TaskState::assigned);
}

TEST(Scheduler, ATaskThatGoesOnHoldsAPortRatherThanOneThatStops) {
  Cluster cluster;
  cluster.add_nodes(1);
  const model::Service old = test::service_of("old", 2);
  cluster.add(old, publish_8080_on_host);
  cluster.add(test::running_task(old, "old.1", 1, "node1"));
  cluster.add(test::running_task(old, "old.2", 2, "node1"));
  cluster.change_task("old.1", [](model::Task& task) { task.desired = TaskState::shutdown; });
  const model::Service web = test::service_of("web", 1);
  cluster.add(web, publish_8080_on_host);
  cluster.add_pending(web, 1);
  EXPECT_THAT(cluster.task("web.000001").status.error, testing::HasSubstr("is held by old.2)"));
}

}  // namespace
}  // namespace swarm::scheduler
