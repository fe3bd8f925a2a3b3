#include <gmock/gmock.h>

#include <map>

#include "base/random.h"
#include "state/store.h"
#include "unit/state/store_fixture.h"

// Leadership ends at any point, with any tail not committed. Whatever happened, the store then
// equals one that applied the confirmed entries alone, and observers saw every step of the way
// back.
namespace swarm::state {
namespace {

using model::NodeId;
using model::ServiceId;
using model::TaskId;
using model::TaskState;

TEST_F(StoreTest, AbandonTakesTheHeadBackToWhatIsCommitted) {
  store.confirm(1);
  const auto before = view().tasks();
  model::Task placed = task("t1");
  placed.node = NodeId("n1");
  ASSERT_TRUE(store.commit(putting(placed), kStart).ok());
  ASSERT_TRUE(store.commit(removing(TaskId("t2")), kStart).ok());
  store.abandon();
  EXPECT_EQ(store.head(), 1u);
  EXPECT_EQ(view().tasks(), before);
  EXPECT_TRUE(view().tasks_on(NodeId("n1")).empty());
  EXPECT_TRUE(absl::IsFailedPrecondition(store.commit(removing(TaskId("t1")), kStart).status()));
}

TEST_F(StoreTest, AbandonShowsObserversTheInverseNewestFirst) {
  store.confirm(1);
  model::Task first = task("t1");
  first.restarts = 1;
  ASSERT_TRUE(store.commit(putting(first), kStart).ok());
  model::Task second = task("t1");
  second.restarts = 2;
  ASSERT_TRUE(store.commit(putting(second, task_of("s1", "t3", 3)), kStart).ok());
  std::vector<std::string> seen;
  store.set_observer([&](model::Position position, const std::vector<Change>& changes) {
    EXPECT_EQ(position, store.head());
    for (const Change& change : changes) {
      const TaskPtr& now = std::get<TaskPtr>(change.after);
      seen.push_back(std::to_string(position) + ":" +
                     (now ? now->id.value() + "=" + std::to_string(now->restarts) : "gone"));
    }
  });
  store.abandon();
  EXPECT_THAT(seen, testing::ElementsAre("2:gone", "2:t1=1", "1:t1=0"));
}

TEST_F(StoreTest, LeadsAgainAfterAnotherLeader) {
  store.confirm(1);
  ASSERT_TRUE(store.commit(removing(TaskId("t2")), kStart).ok());
  store.abandon();

  Store other;
  KeptLog other_log;
  ASSERT_TRUE(other.apply_committed(log.entries[0]).ok());
  other_log.first = 2;
  other.lead(other_log);
  ASSERT_TRUE(other.commit(removing(TaskId("t1")), kStart).ok());
  ASSERT_TRUE(store.apply_committed(other_log.entries[0]).ok());
  EXPECT_EQ(view().task(TaskId("t1")), nullptr);
  EXPECT_NE(view().task(TaskId("t2")), nullptr);

  KeptLog again;
  again.first = 3;
  store.lead(again);
  EXPECT_EQ(*store.commit(removing(TaskId("t2")), kStart), 3u);
}

// Makes transactions of random objects, valid and not, as deciders under load would.
class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  ChangeSet next(const View& view) {
    ChangeSet changes;
    for (uint64_t count = 1 + random_.below(5); count > 0; --count) {
      add_one(view, &changes);
    }
    return changes;
  }
  bool chance(double probability) { return random_.chance(probability); }
  uint64_t below(uint64_t bound) { return random_.below(bound); }

 private:
  std::string pick(const char* kind, uint64_t count) {
    return kind + std::to_string(random_.below(count));
  }

  void add_one(const View& view, ChangeSet* changes) {
    switch (random_.below(8)) {
      case 0:
        put_service(view, changes);
        break;
      case 1:
        changes->put(revision_of(pick("s", 4), 1 + random_.below(3)));
        break;
      case 2:
        changes->put(node_named(pick("n", 4)));
        break;
      case 3:
        changes->remove(TaskId(pick("t", 40)));
        break;
      case 4:
        remove_service(view, changes);
        break;
      case 5:
        changes->put(new_task());
        break;
      default:
        change_task(view, changes);
        break;
    }
  }

  void put_service(const View& view, ChangeSet* changes) {
    model::Service service = service_named(pick("s", 4), pick("name", 3));
    if (const ServicePtr stored = view.service(service.id)) {
      service.meta = stored->meta;
      service.is_removed = random_.chance(0.3);
    }
    service.revision = 1 + random_.below(3);
    const bool is_stored = view.revision(service.id, service.revision) != nullptr;
    if (!is_stored && random_.chance(0.9)) {
      changes->put(revision_of(service.id.value(), service.revision));
    }
    changes->put(service);
  }

  void remove_service(const View& view, ChangeSet* changes) {
    const ServiceId id(pick("s", 4));
    changes->remove(id);
    for (const auto& [number, revision] : view.revisions_of(id)) {
      changes->remove(RevisionKey{id, number});
    }
    for (const auto& [task_id, task] : view.tasks_of(id)) {
      changes->remove(task_id);
    }
  }

  model::Task new_task() {
    model::Task task = task_of(pick("s", 4), pick("t", 40), 1 + random_.below(5));
    task.revision = 1 + random_.below(3);
    return task;
  }

  void change_task(const View& view, ChangeSet* changes) {
    if (view.tasks().empty()) {
      return;
    }
    auto it = view.tasks().begin();
    std::advance(it, random_.below(view.tasks().size()));
    model::Task task = *it->second;
    task.node = NodeId(random_.chance(0.5) ? "" : pick("n", 4));
    task.status.state = random_.chance(0.5) ? TaskState::pending : TaskState::running;
    task.meta.version -= random_.chance(0.1) ? 1 : 0;  // sometimes stale
    changes->put(task);
  }

  Random random_;
};

// The same objects in maps of their own, fed by what observers are told.
class Shadow {
 public:
  void observe(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      if (const TaskPtr* before = std::get_if<TaskPtr>(&change.before)) {
        const TaskPtr& after = std::get<TaskPtr>(change.after);
        const TaskId& id = after ? after->id : (*before)->id;
        EXPECT_EQ(tasks_.contains(id) ? tasks_[id] : nullptr, *before) << "not what was there";
        if (after) {
          tasks_[id] = after;
        } else {
          tasks_.erase(id);
        }
      }
    }
  }
  TaskTable tasks() const {
    TaskTable table;
    for (const auto& [id, task] : tasks_) {
      table.put(task);
    }
    return table;
  }

 private:
  std::map<TaskId, TaskPtr> tasks_;
};

void run_one_history(uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Writer writer(seed);
  Store store;
  Store follower;  // applies what is confirmed, nothing else
  Shadow shadow;
  store.set_observer(
      [&](model::Position, const std::vector<Change>& changes) { shadow.observe(changes); });
  for (int term = 0; term < 6; ++term) {
    KeptLog log;
    log.first = store.head() + 1;
    store.lead(log);
    for (uint64_t step = writer.below(40); step > 0; --step) {
      const std::string before = fingerprint(store.view());
      const auto result = store.commit(writer.next(store.view()), kStart + seconds(term));
      if (!result.ok()) {
        ASSERT_EQ(fingerprint(store.view()), before) << result.status();
      }
      if (writer.chance(0.3)) {
        store.confirm(store.committed() + writer.below(store.head() - store.committed() + 1));
      }
    }
    const model::Position confirmed = store.committed();
    store.abandon();
    for (model::Position position = follower.head() + 1; position <= confirmed; ++position) {
      ASSERT_TRUE(follower.apply_committed(log.entries[position - log.first]).ok());
    }
    ASSERT_EQ(fingerprint(store.view()), fingerprint(follower.view()));
    ASSERT_EQ(chunks_of(store), chunks_of(follower));
    ASSERT_EQ(shadow.tasks(), store.view().tasks());
  }
}

TEST(Leadership, LostAtAnyPointLeavesExactlyWhatWasConfirmed) {
  Random seeds = Random::from_system();
  for (int history = 0; history < 60 && !testing::Test::HasFailure(); ++history) {
    run_one_history(history < 20 ? history : seeds.next());
  }
}

}  // namespace
}  // namespace swarm::state
