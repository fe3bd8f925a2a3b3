#include <gmock/gmock.h>

#include "state/store.h"
#include "unit/state/store_fixture.h"

namespace swarm::state {
namespace {

using model::NodeId;
using model::ServiceId;
using model::TaskId;

TEST_F(StoreTest, SnapshotRestoresEverything) {
  model::Cluster cluster;
  cluster.id = model::SwarmId("swarm");
  model::Task placed = task("t1");
  placed.node = NodeId("n1");
  model::Service removed = service_named("s2", "web");
  removed.is_removed = true;
  ASSERT_TRUE(store.commit(putting(cluster, placed, removed), kStart).ok());
  store.confirm(2);

  Store restored;
  bool was_observed = false;
  restored.set_observer([&](model::Position, const std::vector<Change>&) { was_observed = true; });
  ASSERT_TRUE(restored.restore(chunks_of(store)).ok());
  EXPECT_FALSE(was_observed);
  EXPECT_EQ(restored.head(), 2u);
  EXPECT_EQ(restored.committed(), 2u);
  EXPECT_EQ(restored.view().cluster()->id, cluster.id);
  EXPECT_EQ(restored.view().service_by_name("web")->id, ServiceId("s1"));
  EXPECT_EQ(restored.view().tasks_on(NodeId("n1")).size(), 1u);
  EXPECT_EQ(restored.view().unplaced_tasks().size(), 1u);
  EXPECT_EQ(*restored.view().task(TaskId("t1")), task("t1"));
  EXPECT_EQ(chunks_of(restored), chunks_of(store));
}

TEST_F(StoreTest, SnapshotHoldsOnlyWhatIsCommitted) {
  store.confirm(1);
  const std::vector<std::string> committed = chunks_of(store);
  model::Task placed = task("t1");
  placed.node = NodeId("n1");
  ChangeSet changes = putting(placed, task_of("s1", "t0", 3), task_of("s1", "t9", 4));
  changes.remove(TaskId("t2"));
  ASSERT_TRUE(store.commit(std::move(changes), kStart).ok());
  ASSERT_TRUE(store.commit(putting(task("t9"), revision_of("s1", 2)), kStart).ok());
  ASSERT_TRUE(store.commit(removing(TaskId("t0")), kStart).ok());
  EXPECT_EQ(chunks_of(store), committed);
}

TEST_F(StoreTest, SnapshotIsOfTheMomentItWasAskedFor) {
  store.confirm(1);
  const std::vector<std::string> now = chunks_of(store);
  const auto next = store.snapshot();
  ASSERT_TRUE(store.commit(removing(TaskId("t1")), kStart).ok());
  store.confirm(2);
  EXPECT_EQ(next(), now[0]);
  EXPECT_EQ(next(), "");
}

TEST_F(StoreTest, SnapshotIsTheSameBytesOnLeaderAndFollower) {
  model::Service service = web();
  service.spec.labels = {{"b", "2"}, {"a", "1"}};
  ASSERT_TRUE(store.commit(putting(service), kStart + seconds(1)).ok());
  store.confirm(2);
  Store follower;
  for (const std::string& entry : log.entries) {
    ASSERT_TRUE(follower.apply_committed(entry).ok());
  }
  EXPECT_EQ(chunks_of(follower), chunks_of(store));
}

TEST_F(StoreTest, RefusedSnapshotChangesNothing) {
  store.confirm(1);
  std::vector<std::string> chunks = chunks_of(store);
  Store follower;
  ASSERT_TRUE(follower.restore(chunks).ok());
  chunks[0][chunks[0].size() / 2] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(follower.restore(chunks)));
  EXPECT_TRUE(absl::IsDataLoss(follower.restore({})));
  EXPECT_EQ(follower.head(), 1u);
  EXPECT_EQ(follower.view().tasks().size(), 2u);
}

TEST(Snapshot, OfAnEmptyStoreRestoresAnEmptyStore) {
  Store empty;
  Store restored;
  ASSERT_TRUE(restored.restore(chunks_of(empty)).ok());
  EXPECT_EQ(restored.head(), 0u);
  EXPECT_EQ(restored.view().cluster(), nullptr);
}

}  // namespace
}  // namespace swarm::state
