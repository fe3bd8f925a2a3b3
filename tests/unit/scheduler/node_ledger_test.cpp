#include "scheduler/node_ledger.h"

#include "base/random.h"
#include "unit/scheduler/fixture.h"

namespace swarm::scheduler {
namespace {

using model::TaskState;

// Every account as text: equal books are equal strings.
std::string text_of(const NodeLedger& ledger) {
  std::string text;
  for (const auto& [id, account] : ledger.nodes()) {
    text += id.value() + (account.node ? "" : " (removed)") + ": " +
            std::to_string(account.reserved.nano_cpus) + " cpu " +
            std::to_string(account.reserved.memory_bytes) + " bytes, active " +
            std::to_string(account.active) + ", bookings " + std::to_string(account.bookings);
    for (const auto& [service, slots] : account.slots_of) {
      text += " " + service.value() + "=" + std::to_string(slots.active) + "/" +
              std::to_string(slots.occupied);
    }
    for (const auto& [port, services] : account.host_ports) {
      text += " :" + std::to_string(port.first) + "x" + std::to_string(services.size());
    }
    text += "\n";
  }
  return text;
}

// A store that keeps a ledger up change by change, beside the real scheduler's own.
class LedgerStore {
 public:
  LedgerStore() {
    store_.lead(proposer_);
    store_.set_observer([this](model::Position, const std::vector<state::Change>& changes) {
      for (const state::Change& change : changes) {
        if (const auto* task = std::get_if<state::TaskPtr>(&change.after)) {
          ledger.task_changed(store_.view(), std::get<state::TaskPtr>(change.before), *task);
        } else if (const auto* node = std::get_if<state::NodePtr>(&change.after)) {
          ledger.node_changed(std::get<state::NodePtr>(change.before), *node);
        }
      }
    });
  }

  void commit(state::ChangeSet changes) {
    const Result<model::Position> position = store_.commit(std::move(changes), test::test_epoch());
    ASSERT_TRUE(position.ok()) << position.status();
    store_.confirm(*position);
  }
  state::View view() const { return store_.view(); }

  NodeLedger ledger;

 private:
  class SilentProposer final : public state::Proposer {
   public:
    void propose(model::Position, std::string) override {}
  };

  SilentProposer proposer_;
  state::Store store_;
};

TEST(NodeLedger, BooksKeptChangeByChangeEqualThoseMadeAtOnce) {
  const uint64_t seed = Random::from_system().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  LedgerStore store;
  state::ChangeSet setup;
  std::vector<model::Service> services;
  for (const char* name : {"a", "b", "c"}) {
    const model::Service service = test::service_of(name, 1);
    model::Revision revision = test::revision_of(service);
    revision.task.resources.edit().reservations = {static_cast<int64_t>(random.below(100)), 7};
    revision.task.ports = {{80, static_cast<uint16_t>(8000 + services.size() / 2),
                            model::PortProtocol::tcp, model::PublishMode::host}};
    setup.put(std::move(revision));
    setup.put(service);
    services.push_back(service);
  }
  for (int i = 0; i < 4; ++i) {
    setup.put(test::ready_node("n" + std::to_string(i)));
  }
  store.commit(std::move(setup));

  constexpr TaskState kStates[] = {TaskState::pending, TaskState::assigned, TaskState::running,
                                   TaskState::failed, TaskState::shutdown};
  for (int i = 0; i < 400; ++i) {
    state::ChangeSet changes;
    const model::TaskId id("t" + std::to_string(random.below(30)));
    const state::TaskPtr stored = store.view().task(id);
    if (stored && random.chance(0.2)) {
      changes.remove(id);
    } else {
      model::Task task = stored ? *stored
                                : test::pending_task(services[random.below(3)], id.value(),
                                                     static_cast<model::Slot>(1 + random.below(6)));
      task.status.state = kStates[random.below(5)];
      task.node = task.status.state == TaskState::pending
                      ? model::NodeId()
                      : model::NodeId("n" + std::to_string(random.below(4)));
      task.desired = random.chance(0.5) ? TaskState::running : TaskState::shutdown;
      changes.put(task);
    }
    store.commit(std::move(changes));
    NodeLedger fresh;
    fresh.load(store.view());
    ASSERT_EQ(text_of(store.ledger), text_of(fresh)) << "after event " << i;
  }
}

// The one node of a store with a service "web" whose revisions 1 and 2 reserve 100 and 300 MiB.
class SlotBooks : public ::testing::Test {
 protected:
  SlotBooks() {
    state::ChangeSet setup;
    for (const int64_t revision : {1, 2}) {
      web_.revision = static_cast<model::RevisionNumber>(revision);
      web_.last_revision = web_.revision;
      model::Revision stored = test::revision_of(web_);
      stored.task.resources.edit().reservations.memory_bytes = (200 * revision - 100) * test::kMiB;
      setup.put(std::move(stored));
    }
    setup.put(web_);
    setup.put(test::ready_node("n"));
    store_.commit(std::move(setup));
  }
  void put(const std::string& id, model::RevisionNumber revision, TaskState desired) {
    const state::TaskPtr stored = store_.view().task(model::TaskId(id));
    model::Task task = stored ? *stored : test::running_task(web_, id, 1, "n");
    task.revision = revision;
    task.desired = desired;
    state::ChangeSet changes;
    changes.put(std::move(task));
    store_.commit(std::move(changes));
  }
  const NodeAccount& account() const { return store_.ledger.nodes().at(model::NodeId("n")); }
  int64_t reserved() const { return account().reserved.memory_bytes / test::kMiB; }

  model::Service web_ = test::service_of("web", 1);
  LedgerStore store_;
};

TEST_F(SlotBooks, TasksOfASlotCountOnceWithTheLargestReservation) {
  put("old", 2, TaskState::running);
  put("other", 1, TaskState::running);
  EXPECT_EQ(reserved(), 300);
  EXPECT_EQ(account().active, 1U);
  EXPECT_EQ(account().of_service(web_.id), (SlotCounts{.active = 1, .occupied = 1}));
  // What was told to stop occupies until it is gone, but is no replica any more.
  put("old", 2, TaskState::shutdown);
  EXPECT_EQ(reserved(), 300);
  put("other", 1, TaskState::shutdown);
  EXPECT_EQ(account().of_service(web_.id), SlotCounts{});
  EXPECT_EQ(reserved(), 300);
}

TEST_F(SlotBooks, LiftedSlotHoldsNothingUntilItIsRestored) {
  put("old", 1, TaskState::running);
  store_.ledger.lift(web_.id, 1);
  EXPECT_EQ(reserved(), 0);
  EXPECT_EQ(account().of_service(web_.id), SlotCounts{});
  store_.ledger.restore(web_.id, 1);
  EXPECT_EQ(reserved(), 100);
  EXPECT_EQ(account().of_service(web_.id), (SlotCounts{.active = 1, .occupied = 1}));
}

TEST(NodeLedger, AccountOfARemovedNodeLivesAsLongAsItsTasks) {
  LedgerStore store;
  state::ChangeSet setup;
  const model::Service web = test::service_of("web", 1);
  setup.put(test::revision_of(web));
  setup.put(web);
  setup.put(test::ready_node("n"));
  setup.put(test::running_task(web, "t", 1, "n"));
  store.commit(std::move(setup));
  state::ChangeSet node_gone;
  node_gone.remove(model::NodeId("n"));
  store.commit(std::move(node_gone));
  EXPECT_EQ(store.ledger.nodes().size(), 1U);
  state::ChangeSet task_gone;
  task_gone.remove(model::TaskId("t"));
  store.commit(std::move(task_gone));
  EXPECT_TRUE(store.ledger.nodes().empty());
}

}  // namespace
}  // namespace swarm::scheduler
