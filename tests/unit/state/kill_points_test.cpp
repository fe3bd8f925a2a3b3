// The life of a transaction on its leader is proposed, persisted, replicated, committed, released.
// Leadership is killed at every combination of how far the transactions of a term have come, for a
// script whose transactions build on one another. Whatever the moment:
//   - the deposed leader equals a store that applied what it knew to be committed, exactly;
//   - what the gate let out was of committed transactions, and the rest was told to try again;
//   - whichever log survives, the next leader's holds all that was let out, everybody ends equal,
//     and a later term works on.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "state/output_gate.h"
#include "state/store.h"
#include "unit/state/store_fixture.h"

namespace swarm::state {
namespace {

using model::NodeId;
using model::Position;
using model::ServiceId;
using model::TaskId;
using model::TaskState;

using Step = std::function<ChangeSet(const View&)>;

model::Task placed_on(const View& view, const std::string& id, const std::string& node) {
  model::Task task = *view.task(TaskId(id));
  task.node = NodeId(node);
  task.status.state = node.empty() ? TaskState::pending : TaskState::running;
  return task;
}

model::Service renamed(const View& view, const std::string& id, const std::string& name) {
  model::Service service = *view.service(ServiceId(id));
  service.settings.name = name;
  return service;
}

// Each step undoes, builds on or takes the place of an earlier one, in every index there is.
const std::vector<Step>& script() {
  static const std::vector<Step> steps = {
      // One task gets a node, another one is created.
      [](const View& view) { return putting(placed_on(view, "t1", "n1"), task_of("s1", "t3", 3)); },
      // A deleted task, and a moved one of the step before.
      [](const View& view) {
        ChangeSet changes = removing(TaskId("t2"));
        changes.append(putting(placed_on(view, "t1", "n2"), node_named("n2")));
        return changes;
      },
      // A name changes hands within one transaction.
      [](const View& view) {
        return putting(renamed(view, "s1", "old"), service_named("s2", "web"),
                       revision_of("s2", 1));
      },
      // The id of a deleted task is used again, by another service.
      [](const View&) { return putting(task_of("s2", "t2", 1), task_of("s2", "t4", 2)); },
      // Everything of a service goes, though its task is of the step before.
      [](const View&) {
        return removing(TaskId("t2"), TaskId("t4"), RevisionKey{ServiceId("s2"), 1},
                        ServiceId("s2"));
      },
      // ... which gives the name free again, and the task loses its node.
      [](const View& view) {
        return putting(renamed(view, "s1", "web"), placed_on(view, "t1", ""), revision_of("s1", 2));
      },
  };
  return steps;
}

// How many of the script's transactions have come how far; each at most as many as the one before.
struct Progress {
  size_t proposed = 0;
  size_t persisted = 0;   // in the leader's own log
  size_t replicated = 0;  // in the logs of a majority: it will survive
  size_t committed = 0;   // and the leader knows
  size_t released = 0;    // and the gate does

  std::string text() const {
    return std::to_string(proposed) + " proposed, " + std::to_string(persisted) + " persisted, " +
           std::to_string(replicated) + " replicated, " + std::to_string(committed) +
           " committed, " + std::to_string(released) + " released";
  }
};

void for_every_progress(const std::function<void(const Progress&)>& visit) {
  Progress at;
  for (at.proposed = 0; at.proposed <= script().size(); ++at.proposed) {
    for (at.persisted = 0; at.persisted <= at.proposed; ++at.persisted) {
      for (at.replicated = 0; at.replicated <= at.persisted; ++at.replicated) {
        for (at.committed = 0; at.committed <= at.replicated; ++at.committed) {
          for (at.released = 0; at.released <= at.committed; ++at.released) {
            visit(at);
          }
        }
      }
    }
  }
}

// A leader and what is held back for its callers: of each transaction, and of a read of each head.
class Leader {
 public:
  explicit Leader(const std::vector<std::string>& applied) {
    log.first = 1;
    for (const std::string& entry : applied) {
      SWARM_CHECK(store.apply_committed(entry).ok(), "committed entries apply");
    }
    log.first = store.head() + 1;
    store.lead(log);
    gate.open(store.committed());
  }

  // Commits are interleaved with the progress of earlier ones: each is confirmed as soon as `at`
  // allows for it, with later ones proposed in between or not.
  void run_to(const Progress& at, bool confirm_early) {
    const Position start = store.committed();
    for (size_t step = 0; step < at.proposed; ++step) {
      const auto position = store.commit(script()[step](store.view()), kStart);
      ASSERT_TRUE(position.ok()) << "step " << step << ": " << position.status();
      hold(*position);
      if (confirm_early && step < at.committed) {
        store.confirm(start + step + 1);
      }
    }
    store.confirm(start + at.committed);
    gate.advance(start + at.released);
  }

  void lose() {
    store.abandon();
    gate.close(absl::UnavailableError("the leader changed: try again"));
  }

  Store store;
  KeptLog log;
  OutputGate gate;
  std::vector<Status> answers;  // by position, twice each: a write's and a read's

 private:
  void hold(Position position) {
    for (int kind = 0; kind < 2; ++kind) {
      const size_t at = answers.size();
      answers.push_back(absl::UnknownError("held"));
      gate.when_committed(position, [this, at](const Status& status) {
        EXPECT_EQ(answers[at].code(), absl::StatusCode::kUnknown) << "answered twice";
        answers[at] = status;
      });
    }
  }
};

const std::vector<std::string>& first_entry() {
  static const std::vector<std::string> entries = [] {
    Store store;
    KeptLog log;
    store.lead(log);
    SWARM_CHECK(store.commit(web_with_two_tasks(), kStart).ok(), "the fixture is stored");
    return log.entries;
  }();
  return entries;
}

// The first entry and as many of the term's.
std::vector<std::string> log_with(const Leader& leader, size_t entries) {
  std::vector<std::string> log = first_entry();
  log.insert(log.end(), leader.log.entries.begin(),
             leader.log.entries.begin() + static_cast<std::ptrdiff_t>(entries));
  return log;
}

void expect_same(const Store& one, const Store& other) {
  ASSERT_EQ(fingerprint(one.view()), fingerprint(other.view()));
  ASSERT_EQ(chunks_of(one), chunks_of(other));
}

void apply_all(Store& store, const std::vector<std::string>& log) {
  for (size_t at = store.head(); at < log.size(); ++at) {
    ASSERT_TRUE(store.apply_committed(log[at]).ok());
  }
}

void expect_answers(const Leader& leader, const Progress& at) {
  for (size_t answer = 0; answer < leader.answers.size(); ++answer) {
    const bool is_out = answer / 2 < at.released;
    EXPECT_EQ(leader.answers[answer].code(),
              is_out ? absl::StatusCode::kOk : absl::StatusCode::kUnavailable)
        << "of transaction " << answer / 2 + 1;
  }
}

// The rest of the script, on whatever the log that survived says: another leader's turn.
void finish_script(Leader& next, size_t from) {
  for (size_t step = from; step < script().size(); ++step) {
    const auto position = next.store.commit(script()[step](next.store.view()), kStart);
    ASSERT_TRUE(position.ok()) << "step " << step << ": " << position.status();
    next.store.confirm(*position);
    next.gate.advance(*position);
  }
}

void kill_at(const Progress& at, bool confirm_early, size_t survives) {
  SCOPED_TRACE(at.text() + "; the next leader has " + std::to_string(survives));
  Leader leader(first_entry());
  ASSERT_NO_FATAL_FAILURE(leader.run_to(at, confirm_early));
  leader.lose();
  expect_answers(leader, at);
  EXPECT_EQ(leader.gate.held(), 0u);

  Store reference;
  apply_all(reference, log_with(leader, at.committed));
  ASSERT_NO_FATAL_FAILURE(expect_same(leader.store, reference));

  Leader next(log_with(leader, survives));
  ASSERT_NO_FATAL_FAILURE(finish_script(next, survives));
  std::vector<std::string> whole = log_with(leader, survives);
  whole.insert(whole.end(), next.log.entries.begin(), next.log.entries.end());
  apply_all(leader.store, whole);
  ASSERT_NO_FATAL_FAILURE(expect_same(leader.store, next.store));

  // The deposed one leads again.
  next.lose();
  KeptLog again;
  again.first = leader.store.head() + 1;
  leader.store.lead(again);
  ASSERT_TRUE(leader.store.commit(removing(TaskId("t1")), kStart).ok());
  leader.store.confirm(again.first);
  apply_all(next.store, [&] {
    whole.push_back(again.entries.front());
    return whole;
  }());
  ASSERT_NO_FATAL_FAILURE(expect_same(leader.store, next.store));
}

TEST(KillPoints, EveryPointOfEveryTransactionLeavesWhatIsCommittedAndWorksOn) {
  size_t points = 0;
  for_every_progress([&](const Progress& at) {
    // What a majority has survives; what only the old leader has, if it is the one to be elected.
    for (size_t survives = at.replicated; survives <= at.persisted; ++survives) {
      kill_at(at, points % 2 == 0, survives);
      ++points;
      if (testing::Test::HasFatalFailure()) {
        return;
      }
    }
  });
  EXPECT_EQ(points, 924u);  // of six transactions: nothing was left out
}

// A snapshot asked for at any of these moments is of what was committed, however much of the tail
// is undone or committed before it is written.
TEST(KillPoints, ASnapshotOfEveryMomentHoldsWhatWasCommitted) {
  for_every_progress([&](const Progress& at) {
    SCOPED_TRACE(at.text());
    Leader leader(first_entry());
    leader.run_to(at, true);
    const auto next_chunk = leader.store.snapshot();
    if (at.released % 2 == 0) {
      leader.lose();
    } else {
      leader.store.confirm(leader.store.head());
    }
    Store reference;
    apply_all(reference, log_with(leader, at.committed));
    std::vector<std::string> chunks;
    for (std::string chunk = next_chunk(); !chunk.empty(); chunk = next_chunk()) {
      chunks.push_back(std::move(chunk));
    }
    EXPECT_EQ(chunks, chunks_of(reference));
  });
}

// Checks look at the head: what an uncommitted transaction took is taken, and free again when it is
// undone.
TEST(KillPoints, ChecksFollowTheHeadForwardAndBack) {
  Leader leader(first_entry());
  ASSERT_TRUE(
      leader.store.commit(putting(service_named("s2", "api"), revision_of("s2", 1)), kStart).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(
      leader.store.commit(putting(service_named("s3", "api"), revision_of("s3", 1)), kStart)
          .status()));
  ASSERT_TRUE(leader.store.commit(removing(TaskId("t1")), kStart).ok());
  EXPECT_TRUE(absl::IsAborted(leader.store.commit(removing(TaskId("t1")), kStart).status()));
  leader.lose();
  KeptLog log;
  log.first = 2;
  leader.store.lead(log);
  EXPECT_TRUE(
      leader.store.commit(putting(service_named("s3", "api"), revision_of("s3", 1)), kStart).ok());
  EXPECT_TRUE(leader.store.commit(removing(TaskId("t1")), kStart).ok());
}

// What was refused for want of room is possible again once the tail is undone.
TEST(KillPoints, TheBoundOfUncommittedBytesIsFreeAfterALoss) {
  Store store(1000);
  KeptLog log;
  store.lead(log);
  Status refused;
  while (refused.ok()) {
    const std::string id = "n" + std::to_string(store.head());
    refused = store.commit(putting(node_named(id)), kStart).status();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  store.abandon();
  EXPECT_EQ(store.head(), 0u);
  KeptLog again;
  store.lead(again);
  EXPECT_TRUE(store.commit(putting(node_named("n")), kStart).ok());
}

}  // namespace
}  // namespace swarm::state
