#include "raft/core/raft_log.h"

#include <algorithm>

#include "base/check.h"
#include "raft/core/codec.h"
#include "raft/core/mutants.h"

namespace swarm::raft {

namespace {

std::string text(Index index) {
  return std::to_string(index.value());
}

}  // namespace

RaftLog::RaftLog(SnapshotMeta snapshot, std::vector<Entry> entries)
    : base_(snapshot.index),
      base_term_(snapshot.term),
      configurations_(snapshot.index, std::move(snapshot.configuration)) {
  for (Entry& entry : entries) {
    append(std::move(entry));
  }
}

std::optional<Term> RaftLog::term_at(Index index) const {
  if (index == base_) {
    return base_term_;
  }
  if (index < base_ || index > last()) {
    return std::nullopt;
  }
  return at(index).term;
}

const Entry& RaftLog::at(Index index) const {
  SWARM_CHECK(index > base_ && index <= last(),
              "entry " + text(index) + " of a log from " + text(base_) + " to " + text(last()));
  return entries_[index.value() - base_.value() - 1];
}

std::vector<Entry> RaftLog::slice(Index first, Index last, uint64_t max_bytes) const {
  std::vector<Entry> result;
  uint64_t bytes = 0;
  for (Index index = first; index <= last; index = after(index)) {
    const Entry& entry = at(index);
    bytes += entry.bytes();
    if (!result.empty() && bytes > max_bytes) {
      break;
    }
    result.push_back(entry);
  }
  return result;
}

bool RaftLog::is_up_to_date(Index last_index, Term term) const {
  return term > last_term() || (term == last_term() && last_index >= last());
}

std::pair<Index, Term> RaftLog::conflict_hint(Index limit, Term term) const {
  Index index = std::min(limit, last());
  while (index > base_ && at(index).term > term) {
    index = before(index);
  }
  const std::optional<Term> found = term_at(index);
  return {index, found.value_or(Term())};
}

bool RaftLog::append(Entry entry) {
  SWARM_CHECK(entry.index == after(last()),
              "entry " + text(entry.index) + " appended to a log that ends at " + text(last()));
  SWARM_CHECK(entry.term >= last_term(), "the terms of a log go down at " + text(entry.index));
  const bool is_membership = entry.kind == EntryKind::membership;
  if (is_membership) {
    Result<Configuration> configuration = decode_configuration(*entry.data);
    SWARM_CHECK(configuration.ok(), "a membership entry that was checked when it was read");
    configurations_.append(entry.index, *std::move(configuration));
  }
  bytes_ += entry.bytes();
  entries_.push_back(std::move(entry));
  return is_membership;
}

bool RaftLog::truncate_from(Index index) {
  while (last() >= index && !entries_.empty()) {
    bytes_ -= entries_.back().bytes();
    entries_.pop_back();
  }
  return configurations_.truncate_from(index) && !SWARM_MUTANT(truncation_keeps_configuration);
}

void RaftLog::compact(Index index) {
  if (index <= base_) {
    return;
  }
  base_term_ = at(index).term;
  const auto kept = entries_.begin() + static_cast<ptrdiff_t>(index.value() - base_.value());
  std::for_each(entries_.begin(), kept, [this](const Entry& entry) { bytes_ -= entry.bytes(); });
  entries_.erase(entries_.begin(), kept);
  base_ = index;
  configurations_.compact(index);
}

void RaftLog::restore(const SnapshotMeta& snapshot) {
  *this = RaftLog(snapshot, {});
}

uint64_t RaftLog::bytes_between(Index from, Index to) const {
  uint64_t bytes = 0;
  for (Index index = after(std::max(from, base_)); index <= to; index = after(index)) {
    bytes += at(index).bytes();
  }
  return bytes;
}

}  // namespace swarm::raft
