#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "state/change_set.h"
#include "state/proposer.h"
#include "state/store_contents.h"
#include "state/view.h"

namespace swarm::state {

// One entry of the log holds at most this much: the raft core takes no more in one message.
inline constexpr size_t kMaxEntryBytes = 3 << 19;  // 1.5 MiB

// One transaction as observers see it, with the position of the head after it.
using Observer = std::function<void(model::Position, const std::vector<Change>&)>;

// The replicated truth. Owned by the control loop; no locks.
//
// On the leader a transaction is applied at once (the head), kept with an undo record, and
// proposed; the next one builds on it without waiting. `confirm` drops the undo records up to a
// committed position; `abandon` takes the head back to the last committed one when leadership is
// lost. On followers, and while a new leader applies its log, committed entries come in through
// `apply_committed`.
//
// What leaves the leader must wait for the commit of the position it was computed at: see
// OutputGate.
class Store {
 public:
  explicit Store(size_t max_uncommitted_bytes = 16 << 20);
  ~Store();

  View view() const;  // the head
  model::Position head() const;
  model::Position committed() const;
  // The position of the transaction of this request, be it of this leader or of one before it;
  // nothing when there is none. ABORTED for a repeated one when that is not known any more.
  Result<std::optional<model::Position>> find_request(const model::RequestId& request) const;

  // ---- as leader ----

  // From now on commits are proposed here. Head and committed must be equal.
  void lead(Proposer& proposer);
  // Checks versions, names and references; stamps versions and times; applies to the head;
  // proposes. Nothing is changed on error: ABORTED for a stale version, ALREADY_EXISTS for a name
  // in use, RESOURCE_EXHAUSTED past the bound of uncommitted bytes or of one entry,
  // FAILED_PRECONDITION when not leading. An empty change set is no transaction: it returns the
  // head.
  Result<model::Position> commit(ChangeSet changes, WallTime now);
  // All transactions up to `position` are committed.
  void confirm(model::Position position);
  // Leadership is lost: what was not confirmed is undone (observers see it), newest first.
  void abandon();

  // ---- as follower ----

  // Applies one committed entry. DATA_LOSS if it cannot be decoded or does not follow the last one:
  // the caller must end the process.
  Status apply_committed(std::string_view entry);

  // ---- both ----

  // The committed state, in a form that is byte-identical for equal states on every node.
  // Copies one pointer for about a hundred objects; the returned function does the rest and may run
  // on any thread, giving chunks of a bounded size until it returns an empty one.
  std::function<std::string()> snapshot() const;
  // Replaces everything by what a SnapshotLoader made (observers get no changes; they must load
  // again). Gives back what was there: freeing it may take long, see StoreContents::drop.
  StoreContents restore(StoreContents contents);

  // Called on the loop, after the tables have changed. Never call back into commit from it.
  void set_observer(Observer observer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::state
