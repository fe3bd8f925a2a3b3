#include "dispatcher/mesh_table_builder.h"

#include "base/random.h"

#include "store_fixture.h"

namespace swarm::dispatcher {
namespace {

using model::EndpointState;

struct MeshTableTest : StoreTest {
  MeshTableBuilder builder;

  void SetUp() override {
    StoreTest::SetUp();
    add_node("n1");
    add_node("n2");
    builder.load(store.view());
    store.set_observer([this](model::Position, const std::vector<state::Change>& changes) {
      for (const state::Change& change : changes) {
        builder.observe(store.view(), change);
      }
    });
  }
  const std::vector<model::Endpoint>& endpoints() {
    builder.refresh(store.view());
    return builder.table().services.at(0).endpoints;
  }
  void remove_from_swarm(const std::string& node) {
    const state::ClusterPtr stored = store.view().cluster();
    model::Cluster cluster = stored != nullptr ? *stored : model::Cluster{};
    cluster.id = model::SwarmId("swarm");
    cluster.removed_nodes.insert(model::NodeId(node));
    put(cluster);
    EXPECT_TRUE(builder.refresh(store.view()));
  }
};

TEST_F(MeshTableTest, ListsEveryServiceThatPublishesPorts) {
  ASSERT_EQ(builder.table().services.size(), 1u);
  EXPECT_EQ(builder.table().services[0].name, "web");
  EXPECT_EQ(builder.table().services[0].ports[0].published, 8080);
  EXPECT_TRUE(endpoints().empty());
}

// A mesh refuses older tables than its own, and a recovered swarm may be behind what it had told.
TEST_F(MeshTableTest, TablesOfARecoveredSwarmComeAfterAllEarlierOnes) {
  const model::Position before = builder.table().position + 1'000'000;
  model::Cluster cluster;
  cluster.id = model::SwarmId("swarm");
  cluster.recoveries = 1;
  if (const state::ClusterPtr stored = store.view().cluster()) {
    cluster.meta = stored->meta;
  }
  state::ChangeSet changes;
  changes.put(cluster);
  ASSERT_TRUE(store.commit(std::move(changes), WallTime()).ok());
  MeshTableBuilder next;
  next.load(store.view());
  EXPECT_GT(next.table().position, before);
}

TEST_F(MeshTableTest, OnlyARunningTaskIsAnEndpoint) {
  add_task("t1", "n1", TaskState::starting);
  EXPECT_TRUE(endpoints().empty());
  set_observed("t1", TaskState::running);
  ASSERT_EQ(endpoints().size(), 1u);
  EXPECT_EQ(endpoints()[0],
            (model::Endpoint{TaskId("t1"), NodeId("n1"), "n1:7946", EndpointState::ready}));
  set_observed("t1", TaskState::failed);
  EXPECT_TRUE(endpoints().empty());
}

TEST_F(MeshTableTest, ARunningTaskThatIsToStopDrains) {
  add_task("t1", "n1", TaskState::running);
  for (const TaskState desired : {TaskState::shutdown, TaskState::remove}) {
    set_desired("t1", desired);
    ASSERT_EQ(endpoints().size(), 1u);
    EXPECT_EQ(endpoints()[0].state, EndpointState::draining);
  }
}

TEST_F(MeshTableTest, EndpointsAreInOrderOfTasks) {
  for (const std::string id : {"t3", "t1", "t2"}) {
    add_task(id, id == "t1" ? "n2" : "n1", TaskState::running);
  }
  ASSERT_EQ(endpoints().size(), 3u);
  EXPECT_EQ(endpoints()[0].task, TaskId("t1"));
  EXPECT_EQ(endpoints()[2].task, TaskId("t3"));
}

TEST_F(MeshTableTest, ANodeWithoutAMeshHasNoEndpoints) {
  change_node("n1", [](model::Node& node) { node.description.mesh_address.clear(); });
  add_task("t1", "n1", TaskState::running);
  EXPECT_TRUE(endpoints().empty());
}

TEST_F(MeshTableTest, ListsTheNodesThatWereRemoved) {
  EXPECT_TRUE(builder.table().removed_nodes.empty());
  remove_from_swarm("n9");
  remove_from_swarm("n7");
  EXPECT_EQ(builder.table().removed_nodes, (std::vector{model::NodeId("n7"), model::NodeId("n9")}));
}

TEST_F(MeshTableTest, EndpointsMoveWithTheAddressOfTheirMesh) {
  add_task("t1", "n1", TaskState::running);
  ASSERT_EQ(endpoints().size(), 1u);
  change_node("n1", [](model::Node& node) { node.description.mesh_address = "10.0.0.9:7946"; });
  EXPECT_EQ(endpoints()[0].mesh_address, "10.0.0.9:7946");
}

TEST_F(MeshTableTest, ANodeThatIsDownKeepsItsEndpointsUntilItsTasksAreReplaced) {
  add_task("t1", "n1", TaskState::running);
  change_node("n1", [](model::Node& node) { node.status.state = NodeState::down; });
  ASSERT_EQ(endpoints().size(), 1u);
  EXPECT_EQ(endpoints()[0].state, EndpointState::ready);
  set_desired("t1", TaskState::shutdown);
  EXPECT_EQ(endpoints()[0].state, EndpointState::draining);
}

TEST_F(MeshTableTest, ARemovedServiceHasNoPortsButItsTasksDrain) {
  add_task("t1", "n1", TaskState::running);
  change_service([](model::Service& service) { service.is_removed = true; });
  set_desired("t1", TaskState::remove);
  ASSERT_EQ(endpoints().size(), 1u);
  EXPECT_TRUE(builder.table().services[0].ports.empty());
  set_observed("t1", TaskState::shutdown);
  ASSERT_TRUE(builder.refresh(store.view()));
  EXPECT_TRUE(builder.table().services.empty());
}

TEST_F(MeshTableTest, OnlyWhatShowsInItChangesIt) {
  add_task("t1", "n1", TaskState::running);
  ASSERT_TRUE(builder.refresh(store.view()));
  const model::Position before = builder.table().position;
  EXPECT_EQ(before, store.head());
  change_task("t1", [](model::Task& task) { task.status.message = "still here"; });
  change_node("n1", [](model::Node& node) { node.status.state = NodeState::ready; });
  EXPECT_FALSE(builder.refresh(store.view()));
  EXPECT_EQ(builder.table().position, before);
}

struct MeshTableProperty : MeshTableTest, testing::WithParamInterface<uint64_t> {};

TEST_P(MeshTableProperty, ChangesOneByOneGiveTheSameTableAsLoadingItAll) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Random chance(GetParam());
  for (int step = 0; step < 100; ++step) {
    const std::string id = "t" + std::to_string(chance.below(20));
    const state::TaskPtr task = store.view().task(TaskId(id));
    if (task == nullptr) {
      add_task(id, chance.chance(0.5) ? "n1" : "n2");
    } else if (task->status.state < TaskState::running) {
      set_observed(id, TaskState::running);
    } else if (task->desired == TaskState::running) {
      set_desired(id, TaskState::shutdown);
    } else {
      remove(TaskId(id));
    }
    builder.refresh(store.view());
    MeshTableBuilder fresh;
    fresh.load(store.view());
    ASSERT_EQ(builder.table().services, fresh.table().services);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MeshTableProperty, testing::Range<uint64_t>(1, 11));

}  // namespace
}  // namespace swarm::dispatcher
