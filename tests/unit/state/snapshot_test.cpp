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
  ASSERT_TRUE(store.commit(putting(cluster, placed, removed, revision_of("s2", 1)), kStart).ok());
  store.confirm(2);

  Store restored;
  bool was_observed = false;
  restored.set_observer([&](model::Position, const std::vector<Change>&) { was_observed = true; });
  ASSERT_TRUE(restore(restored, chunks_of(store)).ok());
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
  service.settings.labels = {{"b", "2"}, {"a", "1"}};
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
  ASSERT_TRUE(restore(follower, chunks).ok());
  chunks[0][chunks[0].size() / 2] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(restore(follower, chunks)));
  EXPECT_TRUE(absl::IsDataLoss(restore(follower, {})));
  EXPECT_EQ(follower.head(), 1u);
  EXPECT_EQ(follower.view().tasks().size(), 2u);
}

TEST(Snapshot, OfAnEmptyStoreRestoresAnEmptyStore) {
  Store empty;
  Store restored;
  ASSERT_TRUE(restore(restored, chunks_of(empty)).ok());
  EXPECT_EQ(restored.head(), 0u);
  EXPECT_EQ(restored.view().cluster(), nullptr);
}

// A store of `count` tasks of one service, all committed.
void fill(Store& store, KeptLog& log, size_t count) {
  store.lead(log);
  ASSERT_TRUE(store.commit(web_with_two_tasks(), kStart).ok());
  for (size_t made = 0; made < count;) {
    ChangeSet changes;
    for (size_t i = 0; i < 1000 && made < count; ++i, ++made) {
      changes.put(task_of("s1", "task" + std::to_string(made), 1));
    }
    ASSERT_TRUE(store.commit(std::move(changes), kStart).ok());
    store.confirm(store.head());
  }
}

TEST(Snapshot, OfManyTasksIsBoundedChunksThatRestoreInBoundedSlices) {
  Store store;
  KeptLog log;
  fill(store, log, 30'000);
  const std::vector<std::string> chunks = chunks_of(store);
  ASSERT_GT(chunks.size(), 5u);
  SnapshotLoader loader;
  for (const std::string& chunk : chunks) {
    EXPECT_LE(chunk.size(), wire::kChunkBytes);
    ASSERT_TRUE(loader.add(chunk).ok());
  }
  auto contents = loader.finish();
  ASSERT_TRUE(contents.ok()) << contents.status();
  Store restored;
  StoreContents past = restored.restore(*std::move(contents));
  EXPECT_EQ(past.position(), 0u);
  EXPECT_EQ(restored.view().tasks().size(), 30'002u);
  EXPECT_EQ(chunks_of(restored), chunks);
}

TEST(Snapshot, GoesOnUnharmedWhileTheStoreChangesEverything) {
  Store store;
  KeptLog log;
  fill(store, log, 5'000);
  const std::vector<std::string> expected = chunks_of(store);
  const auto next = store.snapshot();
  std::vector<std::string> chunks{next()};
  while (!store.view().tasks().empty()) {
    ChangeSet changes;
    for (const auto& [id, task] : store.view().tasks()) {
      changes.remove(id);
      if (changes.removals.size() == 700) {
        break;
      }
    }
    ASSERT_TRUE(store.commit(std::move(changes), kStart).ok());
    store.confirm(store.head());
    if (std::string chunk = next(); !chunk.empty()) {
      chunks.push_back(std::move(chunk));
    }
  }
  EXPECT_EQ(chunks, expected);
}

TEST(Snapshot, TheReplacedStateIsForgottenInBoundedSlices) {
  Store store;
  KeptLog log;
  fill(store, log, 3'000);
  const std::weak_ptr<const model::Task> first = store.view().task(TaskId("task0"));
  store.abandon();
  StoreContents past = store.restore(StoreContents());
  EXPECT_TRUE(store.view().tasks().empty());
  size_t slices = 1;
  for (; past.drop(100); ++slices) {
    ASSERT_LT(slices, 1'000u);
  }
  EXPECT_GT(slices, 2 * 3'000u / (100 + TaskTable::kBlockObjects));
  EXPECT_TRUE(first.expired());
}

}  // namespace
}  // namespace swarm::state
