#include "dispatcher/assignment_tracker.h"

#include "store_fixture.h"

namespace swarm::dispatcher {
namespace {

struct TrackerTest : StoreTest {
  AssignmentTracker tracker{NodeId("n1")};

  void SetUp() override {
    StoreTest::SetUp();
    add_node("n1");
    add_node("n2");
  }
  // Takes the task over to a second revision of the service.
  void revise(const std::string& id, const std::function<void(model::TaskTemplate&)>& change) {
    model::Service service = *store.view().service(ServiceId("web"));
    model::Revision next = *store.view().revision(service.id, 1);
    next.meta = {};
    next.number = 2;
    change(next.task);
    service.revision = service.last_revision = 2;
    model::Task task = *store.view().task(TaskId(id));
    task.revision = 2;
    state::ChangeSet changes;
    changes.put(std::move(next));
    changes.put(std::move(service));
    changes.put(std::move(task));
    commit(std::move(changes));
  }
  model::AssignmentSet changes_of(const std::string& task) {
    tracker.note(TaskId(task));
    return tracker.changes(store.view());
  }
};

TEST_F(TrackerTest, TheCompleteSetHoldsWhatIsPlacedOnTheNode) {
  add_task("t1", "n1");
  add_task("t2", "n2");
  add_task("t3", "n1", TaskState::pending);
  const model::AssignmentSet set = tracker.complete(store.view());
  EXPECT_TRUE(set.is_complete);
  EXPECT_EQ(set.position, store.head());
  ASSERT_EQ(set.assigned.size(), 1u);
  EXPECT_EQ(set.assigned[0].task, TaskId("t1"));
  EXPECT_EQ(set.assigned[0].service_name, "web");
  EXPECT_EQ(set.assigned[0].spec.container.image, "web:1.0");
  EXPECT_EQ(set.assigned[0].desired, TaskState::running);
}

TEST_F(TrackerTest, PlaceholdersGetTheirValuesOnTheWayToTheNode) {
  model::Node node = *store.view().node(NodeId("n1"));
  node.description.hostname = "alpha";
  put(node);
  add_task("t1", "n1");
  revise("t1", [](model::TaskTemplate& task) {
    task.container.env = {"WHO={{.Service.Name}} {{.Task.ID}} on {{.Node.Hostname}}"};
  });
  const model::AssignmentSet set = tracker.complete(store.view());
  ASSERT_EQ(set.assigned.size(), 1u);
  EXPECT_EQ(set.assigned[0].spec.container.env, std::vector<std::string>{"WHO=web t1 on alpha"});
}

TEST_F(TrackerTest, AFinishedTaskIsAssignedForItsContainerButNeverToRun) {
  add_task("t1", "n1", TaskState::failed);
  const model::AssignmentSet set = tracker.complete(store.view());
  ASSERT_EQ(set.assigned.size(), 1u);
  EXPECT_EQ(set.assigned[0].desired, TaskState::shutdown);
  EXPECT_EQ(set.assigned[0].spec.container.image, "");
}

TEST_F(TrackerTest, ANewTaskIsAChange) {
  tracker.complete(store.view());
  add_task("t1", "n1");
  const model::AssignmentSet set = changes_of("t1");
  EXPECT_FALSE(set.is_complete);
  EXPECT_EQ(set.assigned.size(), 1u);
}

TEST_F(TrackerTest, AnotherDesiredStateIsAChange) {
  add_task("t1", "n1");
  tracker.complete(store.view());
  set_desired("t1", TaskState::shutdown);
  const model::AssignmentSet set = changes_of("t1");
  ASSERT_EQ(set.assigned.size(), 1u);
  EXPECT_EQ(set.assigned[0].desired, TaskState::shutdown);
}

TEST_F(TrackerTest, AnotherRevisionOfTheSameTaskIsAChange) {
  add_task("t1", "n1");
  tracker.complete(store.view());
  revise("t1", [](model::TaskTemplate& task) { task.ports = {{.target = 80, .published = 9000}}; });
  const model::AssignmentSet set = changes_of("t1");
  ASSERT_EQ(set.assigned.size(), 1u);
  EXPECT_EQ(set.assigned[0].revision, 2u);
  EXPECT_EQ(set.assigned[0].spec.ports.at(0).published, 9000);
}

TEST_F(TrackerTest, StatusesOfTheAgentAreNotEchoed) {
  add_task("t1", "n1");
  tracker.complete(store.view());
  set_observed("t1", TaskState::running);
  const model::AssignmentSet set = changes_of("t1");
  EXPECT_TRUE(set.assigned.empty());
  EXPECT_TRUE(set.removed.empty());
}

TEST_F(TrackerTest, ADeletedRecordIsRemoved) {
  add_task("t1", "n1");
  tracker.complete(store.view());
  remove(TaskId("t1"));
  const model::AssignmentSet set = changes_of("t1");
  EXPECT_EQ(set.removed, std::vector{TaskId("t1")});
  EXPECT_TRUE(changes_of("t1").removed.empty());
}

TEST_F(TrackerTest, ATaskThatCameAndWentBetweenTwoSetsIsNotMentioned) {
  tracker.complete(store.view());
  add_task("t1", "n1");
  tracker.note(TaskId("t1"));
  remove(TaskId("t1"));
  const model::AssignmentSet set = changes_of("t1");
  EXPECT_TRUE(set.assigned.empty());
  EXPECT_TRUE(set.removed.empty());
}

TEST_F(TrackerTest, TasksOfOtherNodesAreNotMentioned) {
  tracker.complete(store.view());
  add_task("t1", "n2");
  EXPECT_TRUE(changes_of("t1").assigned.empty());
}

}  // namespace
}  // namespace swarm::dispatcher
