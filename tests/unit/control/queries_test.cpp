#include "control/queries.h"

#include <gmock/gmock.h>

#include "unit/control/control_fixture.h"

namespace swarm::control {
namespace {

using model::NodeId;
using model::NodeState;
using model::Role;
using model::TaskId;
using model::TaskState;
using testing::ElementsAre;

class QueriesTest : public ControlTest {
 protected:
  model::Task on(const std::string& node, model::Task task) {
    task.node = NodeId(node);
    return task;
  }
  static std::vector<std::string> ids(const std::vector<state::TaskPtr>& tasks) {
    std::vector<std::string> result;
    for (const state::TaskPtr& task : tasks) result.push_back(task->id.value());
    return result;
  }
};

TEST_F(QueriesTest, CountsRunningTasksOfAnyRevisionOnNodesThatAreNotDown) {
  given(node_of("up", Role::worker), node_of("quiet", Role::worker, 0, NodeState::suspect),
        node_of("down", Role::worker, 0, NodeState::down));
  ASSERT_TRUE(create(spec_of("web")).ok());
  ASSERT_TRUE(apply(scale_service(context(), "web", 3)).ok());
  model::Task leaving = on("quiet", task_of("web", "t2", 2));
  leaving.desired = TaskState::shutdown;
  model::Task starting = on("up", task_of("web", "t4", 4));
  starting.status.state = TaskState::starting;
  given(on("up", task_of("web", "t1", 1)), leaving, on("down", task_of("web", "t3", 3)), starting,
        on("gone", task_of("web", "t5", 5)));
  const ServiceCount count = count_service(view(), service());
  EXPECT_EQ(count.running, 2u);
  EXPECT_EQ(count.desired, 3u);
  ASSERT_TRUE(apply(remove_service(context(), "web")).ok());
  EXPECT_EQ(count_service(view(), *view().services().begin()->second).desired, 0u);
}

class ClosedPortsTest : public QueriesTest {
 protected:
  ClosedPortsTest() {
    model::ServiceSpec spec = spec_of("web");
    spec.task.ports = {{.target = 80, .published = 8080}};
    EXPECT_TRUE(create(spec).ok());
  }
  std::vector<std::string> closed() {
    std::vector<std::string> found;
    const auto has_opened = [this](const NodeId& node) { return !unconfirmed.contains(node); };
    for (const ServiceClosedPort& port : closed_ports_of(view(), service(), has_opened)) {
      found.push_back(port.node.value() + ": " + port.reason);
    }
    return found;
  }
  std::set<NodeId> unconfirmed;
};

TEST_F(ClosedPortsTest, APortIsClosedWhereItsNodeSaysSoOrRunsNoMeshOrHasNotConfirmed) {
  model::Node busy = node_of("busy", Role::worker);
  busy.status.closed_ports = {
      {service().id, {.target = 80, .published = 8080}, "in use"},
      {model::ServiceId("other"), {.target = 80, .published = 1}, "in use"}};
  model::Node meshless = node_of("meshless", Role::worker);
  meshless.status.conditions = {{model::ConditionKind::mesh, "does not run", {}}};
  model::Node down = meshless;
  down.id = NodeId("down");
  down.status.state = NodeState::down;
  given(busy, meshless, down, node_of("fine", Role::worker), node_of("new", Role::worker));
  unconfirmed = {NodeId("new"), NodeId("down"), NodeId("busy")};
  EXPECT_THAT(closed(), ElementsAre("busy: in use", "meshless: does not run",
                                    "new: the node has not opened it yet"));
}

TEST_F(ClosedPortsTest, AHostModePortMattersWhereATaskIsToRun) {
  model::ServiceSpec spec = spec_of("host");
  spec.task.ports = {{.target = 80, .published = 9090, .mode = model::PublishMode::host}};
  ASSERT_TRUE(create(spec).ok());
  given(node_of("used", Role::worker), node_of("unused", Role::worker),
        on("used", task_of("host", "t1", 1)));
  const auto none = [](const NodeId&) { return false; };
  const auto found = closed_ports_of(view(), *view().service_by_name("host"), none);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].node, NodeId("used"));
}

TEST_F(ClosedPortsTest, ATaskIsToldWhatItsNodeSuffersFrom) {
  model::Node node = node_of("n", Role::worker);
  node.status.conditions = {{model::ConditionKind::engine, "the engine is away", {}},
                            {model::ConditionKind::disk, "nearly full", {}}};
  node.status.closed_ports = {{service().id, {.target = 80, .published = 8080}, "8080 is in use"}};
  given(node, on("n", task_of("web", "t1", 1)));
  EXPECT_EQ(node_trouble_of(view(), *view().task(TaskId("t1"))),
            "the engine is away; 8080 is in use");
}

TEST_F(QueriesTest, ListsServicesInNaturalOrderWithoutRemovedOnes) {
  for (const char* name : {"web10", "web2", "api", "old"}) {
    ASSERT_TRUE(create(spec_of(name)).ok());
  }
  ASSERT_TRUE(apply(remove_service(context(), "old")).ok());
  std::vector<std::string> names;
  for (const auto& service : list_services(view())) names.push_back(service->settings.name);
  EXPECT_THAT(names, ElementsAre("api", "web2", "web10"));
}

TEST_F(QueriesTest, ListsNodesInNaturalOrderOfHostnamesThenIds) {
  model::Node b = node_of("b", Role::worker);
  model::Node a = node_of("a", Role::worker);
  b.description.hostname = a.description.hostname = "h2";
  model::Node c = node_of("c", Role::worker);
  c.description.hostname = "h10";
  model::Node d = node_of("d", Role::worker);
  d.description.hostname = "h1";
  given(a, b, c, d);
  std::vector<std::string> found;
  for (const auto& node : list_nodes(view())) found.push_back(node->id.value());
  EXPECT_THAT(found, ElementsAre("d", "a", "b", "c"));
}

TEST_F(QueriesTest, SumsReservationsOfTasksThatAreNotOver) {
  model::ServiceSpec spec = spec_of("web");
  spec.task.resources.edit().reservations = {500'000'000, 64 << 20};
  ASSERT_TRUE(create(spec).ok());
  model::Task assigned = on("n", task_of("web", "t1", 1));
  assigned.status.state = TaskState::assigned;
  model::Task leaving = on("n", task_of("web", "t2", 2));
  leaving.desired = TaskState::shutdown;
  model::Task over = on("n", task_of("web", "t3", 3));
  over.status.state = TaskState::failed;
  given(assigned, leaving, over, on("m", task_of("web", "t4", 4)));
  EXPECT_EQ(reserved_on(view(), NodeId("n")), (model::Resources{1'000'000'000, 128 << 20}));
  EXPECT_EQ(reserved_on(view(), NodeId("nobody")), model::Resources());
}

TEST_F(QueriesTest, ListsTasksByServiceAndSlotNewestFirst) {
  ASSERT_TRUE(create(spec_of("web10")).ok());
  ASSERT_TRUE(create(spec_of("web2")).ok());
  given(on("n", task_of("web10", "x", 1)));
  given(on("n", task_of("web2", "b", 2)), on("m", task_of("web2", "old", 1)));
  now += seconds(1);
  given(on("m", task_of("web2", "new", 1)));
  EXPECT_THAT(ids(list_tasks(view(), {}, {})), ElementsAre("new", "old", "b", "x"));
  EXPECT_THAT(ids(list_tasks(view(), {service("web2").id}, {NodeId("m")})),
              ElementsAre("new", "old"));
  EXPECT_THAT(ids(list_tasks(view(), {}, {NodeId("n")})), ElementsAre("b", "x"));
}

TEST_F(QueriesTest, ListsTasksOfARemovedServiceUntilTheyAreGone) {
  ASSERT_TRUE(create(spec_of("web")).ok());
  given(on("n", task_of("web", "t", 1)));
  ASSERT_TRUE(apply(remove_service(context(), "web")).ok());
  EXPECT_THAT(ids(list_tasks(view(), {}, {})), ElementsAre("t"));
}

}  // namespace
}  // namespace swarm::control
