#include "state/view.h"

#include <gmock/gmock.h>

#include "unit/state/store_fixture.h"

namespace swarm::state {
namespace {

using model::NodeId;
using model::ServiceId;
using model::TaskId;
using model::TaskState;
using testing::ElementsAre;

template <class Map>
std::vector<std::string> keys(const Map& map) {
  std::vector<std::string> result;
  for (const auto& [id, object] : map) {
    result.push_back(id.value());
  }
  return result;
}

TEST_F(StoreTest, ListsTasksByServiceAndNode) {
  model::Task placed = task("t2");
  placed.node = NodeId("n1");
  ASSERT_TRUE(store.commit(putting(placed), kStart).ok());
  EXPECT_THAT(keys(view().tasks_of(ServiceId("s1"))), ElementsAre("t1", "t2"));
  EXPECT_THAT(keys(view().tasks_on(NodeId("n1"))), ElementsAre("t2"));
  EXPECT_TRUE(view().tasks_of(ServiceId("none")).empty());
  EXPECT_TRUE(view().tasks_on(NodeId("none")).empty());
}

TEST_F(StoreTest, FollowsATaskFromNodeToNode) {
  for (const char* node : {"n1", "n2", ""}) {
    model::Task moved = task("t1");
    moved.node = NodeId(node);
    ASSERT_TRUE(store.commit(putting(moved), kStart).ok());
    EXPECT_EQ(view().tasks_on(NodeId("n1")).size(), moved.node == NodeId("n1") ? 1u : 0u);
    EXPECT_EQ(view().tasks_on(NodeId("n2")).size(), moved.node == NodeId("n2") ? 1u : 0u);
  }
}

TEST_F(StoreTest, KnowsTheTasksThatWaitForANode) {
  EXPECT_THAT(keys(view().unplaced_tasks()), ElementsAre("t1", "t2"));
  model::Task placed = task("t1");
  placed.node = NodeId("n1");
  model::Task unwanted = task("t2");
  unwanted.desired = TaskState::shutdown;
  model::Task held = task_of("s1", "t3", 3);
  held.desired = TaskState::ready;
  model::Task fresh = task_of("s1", "t4", 4);
  fresh.status.state = TaskState::fresh;
  ASSERT_TRUE(store.commit(putting(placed, unwanted, held, fresh), kStart).ok());
  EXPECT_THAT(keys(view().unplaced_tasks()), ElementsAre("t3"));
  store.abandon();  // nothing was confirmed: back to before the first transaction
  EXPECT_TRUE(view().unplaced_tasks().empty());
}

TEST_F(StoreTest, GroupsTasksBySlot) {
  ASSERT_TRUE(store.commit(putting(task_of("s1", "t0", 2)), kStart).ok());
  const auto slots = view().slots_of(ServiceId("s1"));
  ASSERT_EQ(slots.size(), 2u);
  ASSERT_EQ(slots.at(2).size(), 2u);
  EXPECT_EQ(slots.at(2)[0]->id, TaskId("t0"));
  EXPECT_EQ(slots.at(2)[1]->id, TaskId("t2"));
}

TEST_F(StoreTest, FindsTheTemplateOfATask) {
  EXPECT_EQ(view().template_of(task("t1")).container.image, "web:1");
  model::Task lost = task("t1");
  lost.revision = 9;
  EXPECT_DEATH(view().template_of(lost), "revision 9");
}

// Services "web" (s1), "s1x" (id x1), "api" (id s12): names and ids that look alike.
class ReferenceTest : public StoreTest {
 protected:
  ReferenceTest() {
    model::Service gone = service_named("s13", "old");
    gone.is_removed = true;
    SWARM_CHECK(store
                    .commit(putting(service_named("x1", "s1"), revision_of("x1", 1),
                                    service_named("s12", "api"), revision_of("s12", 1), gone,
                                    revision_of("s13", 1), node_named("n2"), node_named("m1")),
                            kStart)
                    .ok(),
                "the fixture is stored");
  }
};

TEST_F(ReferenceTest, PrefersIdThenNameThenPrefix) {
  EXPECT_EQ((*view().find_service("s1"))->id, ServiceId("s1"));  // another one's name, too
  EXPECT_EQ((*view().find_service("api"))->id, ServiceId("s12"));
  EXPECT_EQ((*view().find_service("x"))->id, ServiceId("x1"));
  EXPECT_EQ((*view().find_node("host-n2"))->id, NodeId("n2"));
  EXPECT_EQ((*view().find_node("m"))->id, NodeId("m1"));
}

TEST_F(ReferenceTest, SaysThatAPrefixIsAmbiguous) {
  const Status status = view().find_service("s").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("is ambiguous (2 matches found)"), absl::string_view::npos);
  EXPECT_TRUE(absl::IsInvalidArgument(view().find_node("n").status()));
}

TEST_F(ReferenceTest, SaysThatAHostnameIsAmbiguous) {
  model::Node twin = node_named("n3");
  twin.description.hostname = "host-n2";
  ASSERT_TRUE(store.commit(putting(twin), kStart).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(view().find_node("host-n2").status()));
}

TEST_F(ReferenceTest, DoesNotFindWhatIsNotThere) {
  for (const char* reference : {"", "nope", "old", "s13", "WEB"}) {
    EXPECT_TRUE(absl::IsNotFound(view().find_service(reference).status())) << reference;
  }
  EXPECT_TRUE(absl::IsNotFound(view().find_node("").status()));
  EXPECT_TRUE(absl::IsNotFound(view().find_task("web.9").status()));
  EXPECT_TRUE(absl::IsNotFound(view().find_task("").status()));
}

TEST_F(ReferenceTest, FindsATaskByItsName) {
  EXPECT_EQ((*view().find_task("t2"))->id, TaskId("t2"));
  EXPECT_EQ((*view().find_task("web.2"))->id, TaskId("t2"));
  model::Task old = task("t2");
  old.desired = TaskState::shutdown;
  ASSERT_TRUE(store.commit(putting(old, task_of("s1", "t5", 2)), kStart).ok());
  EXPECT_EQ((*view().find_task("web.2"))->id, TaskId("t5"));
}

}  // namespace
}  // namespace swarm::state
