#include "state/store.h"

#include <gmock/gmock.h>

#include "unit/state/store_fixture.h"

namespace swarm::state {
namespace {

using absl::StatusCode;
using model::NodeId;
using model::ServiceId;
using model::TaskId;
using model::TaskState;

TEST_F(StoreTest, StampsVersionAndTimes) {
  model::Task changed = task("t1");
  EXPECT_EQ(changed.meta.version, 1u);
  EXPECT_EQ(changed.meta.created_at, kStart);
  ASSERT_TRUE(store.commit(putting(changed), kStart + seconds(9)).ok());
  EXPECT_EQ(task("t1").meta.version, 2u);
  EXPECT_EQ(task("t1").meta.created_at, kStart);
  EXPECT_EQ(task("t1").meta.updated_at, kStart + seconds(9));
  EXPECT_EQ(task("t2").meta.version, 1u);
}

TEST_F(StoreTest, BuildsOnTheHeadWithoutWaiting) {
  for (int i = 0; i < 3; ++i) {
    model::Task next = task("t1");
    next.restarts += 1;
    ASSERT_TRUE(store.commit(putting(next), kStart).ok());
  }
  EXPECT_EQ(task("t1").restarts, 3u);
  EXPECT_EQ(store.head(), 4u);
  EXPECT_EQ(store.committed(), 0u);
  store.confirm(3);
  EXPECT_EQ(store.committed(), 3u);
}

TEST_F(StoreTest, TakesAnEmptyChangeSetForNothing) {
  EXPECT_EQ(*store.commit({}, kStart), 1u);
  EXPECT_EQ(log.entries.size(), 1u);
}

TEST_F(StoreTest, RefusesAStaleVersion) {
  const model::Task old = task("t1");
  ASSERT_TRUE(store.commit(putting(old), kStart).ok());
  expect_refused(putting(old), StatusCode::kAborted, "changed meanwhile (version 2, yours is 1)");
}

TEST_F(StoreTest, RefusesAnUpdateOfWhatIsGone) {
  const model::Task old = task("t1");
  ASSERT_TRUE(store.commit(removing(TaskId("t1")), kStart).ok());
  expect_refused(putting(old), StatusCode::kAborted, "was removed meanwhile");
  expect_refused(removing(TaskId("t1")), StatusCode::kAborted, "was removed meanwhile");
  expect_refused(removing(NodeId("n9")), StatusCode::kAborted, "was removed meanwhile");
}

TEST_F(StoreTest, RefusesAnIdInUse) {
  expect_refused(putting(task_of("s1", "t1", 3)), StatusCode::kAlreadyExists, "task t1");
  expect_refused(putting(node_named("n1")), StatusCode::kAlreadyExists, "node n1");
}

TEST_F(StoreTest, RefusesANameInUse) {
  expect_refused(putting(service_named("s2", "web"), revision_of("s2", 1)),
                 StatusCode::kAlreadyExists, "a service named \"web\" already exists");
  expect_refused(putting(service_named("s2", "api"), revision_of("s2", 1),
                         service_named("s3", "api"), revision_of("s3", 1)),
                 StatusCode::kAlreadyExists, "\"api\"");
}

TEST_F(StoreTest, GivesTheNameOfARemovedServiceFreeAtOnce) {
  model::Service removed = web();
  removed.is_removed = true;
  // Both in one transaction, in the order that is harder for the index.
  ASSERT_TRUE(
      store.commit(putting(service_named("s2", "web"), revision_of("s2", 1), removed), kStart)
          .ok());
  EXPECT_EQ(web().id, ServiceId("s2"));
  EXPECT_TRUE(view().service(ServiceId("s1"))->is_removed);
  store.abandon();
  EXPECT_EQ(view().service_by_name("web"), nullptr);
}

TEST_F(StoreTest, SwapsNamesAndSwapsThemBack) {
  ASSERT_TRUE(store.commit(putting(service_named("s2", "api"), revision_of("s2", 1)), kStart).ok());
  store.confirm(2);
  model::Service first = *view().service(ServiceId("s1"));
  model::Service second = *view().service(ServiceId("s2"));
  std::swap(first.settings.name, second.settings.name);
  ASSERT_TRUE(store.commit(putting(first, second), kStart).ok());
  EXPECT_EQ(web().id, ServiceId("s2"));
  store.abandon();
  EXPECT_EQ(web().id, ServiceId("s1"));
  EXPECT_EQ(view().service_by_name("api")->id, ServiceId("s2"));
}

TEST_F(StoreTest, RefusesReferencesToNothing) {
  expect_refused(putting(task_of("s9", "t9", 1)), StatusCode::kAborted, "has no service");
  model::Task orphan = task_of("s1", "t9", 1);
  orphan.revision = 7;
  expect_refused(putting(orphan), StatusCode::kAborted, "has no revision");
  expect_refused(putting(revision_of("s9", 1)), StatusCode::kAborted, "has no service");
  expect_refused(putting(service_named("s2", "api")), StatusCode::kAborted, "is at no revision");
  model::Service moved = *view().service(ServiceId("s1"));
  moved.revision = 2;
  expect_refused(putting(moved), StatusCode::kAborted, "is at no revision");
  EXPECT_TRUE(store.commit(putting(moved, revision_of("s1", 2)), kStart).ok());
}

TEST_F(StoreTest, TheRevisionAServiceIsAtStays) {
  ASSERT_TRUE(store.commit(putting(service_named("s2", "api"), revision_of("s2", 1)), kStart).ok());
  const RevisionKey first{ServiceId("s2"), 1};
  expect_refused(removing(first), StatusCode::kAborted, "is the one it is at");
  model::Service moved = *view().service(ServiceId("s2"));
  moved.revision = 2;
  ChangeSet changes = putting(moved, revision_of("s2", 2));
  changes.remove(first);
  EXPECT_TRUE(store.commit(std::move(changes), kStart).ok());
  EXPECT_EQ(view().template_of(*view().service(ServiceId("s2"))).container.image, "web:2");
}

TEST_F(StoreTest, RefusesToRemoveWhatIsInUse) {
  model::Service moved = *view().service(ServiceId("s1"));
  moved.revision = 2;
  ChangeSet changes = putting(moved, revision_of("s1", 2));
  changes.remove(RevisionKey{ServiceId("s1"), 1});
  expect_refused(std::move(changes), StatusCode::kAborted, "in use by task");
  expect_refused(removing(ServiceId("s1")), StatusCode::kAborted, "still has revision 1");
  expect_refused(removing(ServiceId("s1"), RevisionKey{ServiceId("s1"), 1}), StatusCode::kAborted,
                 "in use by task");
  ChangeSet late =
      removing(ServiceId("s1"), RevisionKey{ServiceId("s1"), 1}, TaskId("t1"), TaskId("t2"));
  late.put(task_of("s1", "t3", 1));
  expect_refused(std::move(late), StatusCode::kAborted, "has no service");
}

TEST_F(StoreTest, RemovesAServiceWithAllThatBelongsToIt) {
  ASSERT_TRUE(store
                  .commit(removing(ServiceId("s1"), RevisionKey{ServiceId("s1"), 1}, TaskId("t1"),
                                   TaskId("t2")),
                          kStart)
                  .ok());
  EXPECT_TRUE(view().services().empty());
  EXPECT_TRUE(view().tasks().empty());
  EXPECT_TRUE(view().revisions_of(ServiceId("s1")).empty());
}

TEST_F(StoreTest, RefusesAnObjectTwiceInOneTransaction) {
  expect_refused(putting(task("t1"), task("t1")), StatusCode::kInvalidArgument, "occurs twice");
  ChangeSet both = putting(task("t1"));
  both.remove(TaskId("t1"));
  expect_refused(std::move(both), StatusCode::kInvalidArgument, "occurs twice");
}

TEST_F(StoreTest, RefusesToChangeWhatIsImmutable) {
  model::Task moved = task("t1");
  moved.slot = 9;
  expect_refused(putting(moved), StatusCode::kInvalidArgument, "another slot");
  model::Revision edited = *view().revision(ServiceId("s1"), 1);
  edited.task.container.image = "other";
  expect_refused(putting(edited), StatusCode::kInvalidArgument, "cannot be changed");
}

TEST_F(StoreTest, RefusesASecondCluster) {
  model::Cluster cluster;
  cluster.id = model::SwarmId("a");
  ASSERT_TRUE(store.commit(putting(cluster), kStart).ok());
  cluster.id = model::SwarmId("b");
  expect_refused(putting(cluster), StatusCode::kAlreadyExists, "cluster");
  cluster.meta = view().cluster()->meta;
  expect_refused(putting(cluster), StatusCode::kAlreadyExists, "cluster");
}

TEST_F(StoreTest, RefusesAnEntryOverItsBoundAndChangesNothing) {
  model::Task huge = task("t1");
  huge.status.message = std::string(kMaxEntryBytes, 'x');
  expect_refused(putting(huge), StatusCode::kResourceExhausted, "change less at a time");
}

TEST(Store, RefusesMoreUncommittedBytesThanItsBoundUntilSomeAreConfirmed) {
  KeptLog log;
  Store store(4096);
  store.lead(log);
  model::Node node = node_named("n");
  node.status.message = std::string(1000, 'x');
  size_t accepted = 0;
  Status refusal;
  while (accepted < 10 && refusal.ok()) {
    node.id = NodeId("n" + std::to_string(accepted));
    refusal = store.commit(putting(node), kStart).status();
    accepted += refusal.ok() ? 1 : 0;
  }
  EXPECT_EQ(accepted, 3u);
  EXPECT_TRUE(absl::IsResourceExhausted(refusal)) << refusal;
  EXPECT_EQ(store.head(), 3u);
  store.confirm(1);
  EXPECT_TRUE(store.commit(putting(node), kStart).ok());
  store.abandon();
  store.lead(log);
}

TEST(Store, RefusesToWriteWithoutLeading) {
  Store store;
  EXPECT_TRUE(absl::IsFailedPrecondition(store.commit(web_with_two_tasks(), kStart).status()));
  EXPECT_EQ(store.head(), 0u);
}

TEST_F(StoreTest, ShowsObserversWhatWasAndWhatIs) {
  std::vector<std::pair<model::Position, std::vector<Change>>> seen;
  store.set_observer([&](model::Position position, const std::vector<Change>& changes) {
    EXPECT_EQ(store.head(), position);  // the tables have changed already
    seen.emplace_back(position, changes);
  });
  model::Task placed = task("t1");
  placed.node = NodeId("n1");
  ChangeSet changes = putting(placed, task_of("s1", "t3", 3));
  changes.remove(TaskId("t2"));
  ASSERT_TRUE(store.commit(std::move(changes), kStart).ok());

  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].first, 2u);
  const std::vector<Change>& one = seen[0].second;
  ASSERT_EQ(one.size(), 3u);
  EXPECT_TRUE(std::get<TaskPtr>(one[0].before)->node.is_empty());
  EXPECT_EQ(std::get<TaskPtr>(one[0].after)->node, NodeId("n1"));
  EXPECT_EQ(std::get<TaskPtr>(one[1].before), nullptr);
  EXPECT_EQ(std::get<TaskPtr>(one[2].before)->id, TaskId("t2"));
  EXPECT_EQ(std::get<TaskPtr>(one[2].after), nullptr);
}

TEST(Store, FollowerAppliesWhatTheLeaderCommitted) {
  KeptLog log;
  Store leader;
  leader.lead(log);
  ASSERT_TRUE(leader.commit(web_with_two_tasks(), kStart).ok());
  ASSERT_TRUE(leader.commit(removing(TaskId("t2")), kStart).ok());
  Store follower;
  size_t observed = 0;
  follower.set_observer(
      [&](model::Position, const std::vector<Change>& changes) { observed += changes.size(); });
  for (const std::string& entry : log.entries) {
    ASSERT_TRUE(follower.apply_committed(entry).ok());
  }
  EXPECT_EQ(observed, 6u);
  EXPECT_EQ(follower.head(), 2u);
  EXPECT_EQ(follower.committed(), 2u);
  ASSERT_EQ(follower.view().tasks().size(), 1u);
  EXPECT_EQ(*follower.view().task(TaskId("t1")), *leader.view().task(TaskId("t1")));
}

TEST(Store, FollowerCallsAGapOrGarbageDataLossAndStaysAsItWas) {
  KeptLog log;
  Store leader;
  leader.lead(log);
  ASSERT_TRUE(leader.commit(web_with_two_tasks(), kStart).ok());
  ASSERT_TRUE(leader.commit(removing(TaskId("t2")), kStart).ok());
  Store follower;
  EXPECT_TRUE(absl::IsDataLoss(follower.apply_committed(log.entries[1])));
  EXPECT_TRUE(absl::IsDataLoss(follower.apply_committed("\xff\xff")));
  ASSERT_TRUE(follower.apply_committed(log.entries[0]).ok());
  EXPECT_TRUE(absl::IsDataLoss(follower.apply_committed(log.entries[0])));  // again
  EXPECT_EQ(follower.head(), 1u);
}

TEST(StoreDeath, LeadershipBeginsWithTheWholeLogApplied) {
  KeptLog log;
  Store store;
  store.lead(log);
  ASSERT_TRUE(store.commit(web_with_two_tasks(), kStart).ok());
  EXPECT_DEATH(store.lead(log), "leadership begins once");
  EXPECT_DEATH(store.confirm(7), "what is committed was proposed");
  EXPECT_DEATH((void)store.apply_committed(""), "a leader confirms its own entries");
}

}  // namespace
}  // namespace swarm::state
