#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "raft/core/config_history.h"
#include "raft/core/entry.h"

namespace swarm::raft {

// The log as the core sees it: every entry since the last compaction, in memory, with the
// membership that goes with it. Its owner bounds it. What of it is durable or committed is not
// known here.
class RaftLog {
 public:
  // `entries` follow the snapshot without a gap.
  RaftLog(SnapshotMeta snapshot, std::vector<Entry> entries);

  // Entries up to and including this one are gone.
  Index base() const { return base_; }
  Index last() const { return Index(base_.value() + entries_.size()); }
  Term last_term() const { return entries_.empty() ? base_term_ : entries_.back().term; }
  // Nothing for indexes under the base or after the end.
  std::optional<Term> term_at(Index index) const;
  bool holds(Index index, Term term) const { return term_at(index) == term; }
  // `index` is between base and last.
  const Entry& at(Index index) const;
  // From `first` on, at least one if there is one, at most `max_bytes` otherwise.
  std::vector<Entry> slice(Index first, Index last, uint64_t max_bytes) const;
  // Whether a log that ends so may win a vote of this one's owner.
  bool is_up_to_date(Index last, Term last_term) const;
  // The largest index up to `limit` whose term is at most `term`: where two logs may agree at best.
  std::pair<Index, Term> conflict_hint(Index limit, Term term) const;

  // The next entry. Whether it changed the configuration.
  bool append(Entry entry);
  // Drops `index` and all after it. Whether that changed the configuration.
  bool truncate_from(Index index);
  // Drops everything up to `index`, which is applied.
  void compact(Index index);
  // Starts anew after a snapshot.
  void restore(const SnapshotMeta& snapshot);

  const ConfigHistory& configurations() const { return configurations_; }
  // Of the entries held.
  uint64_t bytes() const { return bytes_; }
  uint64_t bytes_between(Index after, Index last) const;

 private:
  Index base_;
  Term base_term_;
  std::deque<Entry> entries_;
  uint64_t bytes_ = 0;
  ConfigHistory configurations_;
};

}  // namespace swarm::raft
