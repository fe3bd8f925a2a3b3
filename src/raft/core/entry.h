#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "raft/core/types.h"

namespace swarm::raft {

// What an entry of the log means. Values are stored on disk and sent: never renumber.
enum class EntryKind : uint8_t {
  noop = 0,        // the first entry of a leader's term
  command = 1,     // for the state machine
  membership = 2,  // an encoded Configuration, in force from the moment it is appended
};

// One entry of the log. The payload is immutable and shared by the log writer, the messages to
// peers and the applier, so it is never copied between them; it is null for a no-op.
struct Entry {
  Term term;
  Index index;
  EntryKind kind = EntryKind::noop;
  std::shared_ptr<const std::string> data;

  // What it costs in memory and in messages, for all byte bounds.
  uint64_t bytes() const { return kOverhead + (data == nullptr ? 0 : data->size()); }

  static constexpr uint64_t kOverhead = 32;
};

// Up to which entry a log agrees with the leader of `leader_term`. An acknowledgement from storage
// carries it, because an index alone may since have been overwritten by another leader's entry (the
// ABA race of etcd-io/raft#8).
struct LogMark {
  Term leader_term;
  Index index;

  bool operator==(const LogMark&) const = default;
};

// What must survive a restart besides entries. `commit` only saves work and never forces a sync.
struct HardState {
  Term term;
  MemberId vote;  // empty: nobody in this term
  Index commit;

  bool operator==(const HardState&) const = default;
};

inline Index after(Index index) {
  return Index(index.value() + 1);
}
inline Index before(Index index) {
  return Index(index.value() - 1);
}
inline Term after(Term term) {
  return Term(term.value() + 1);
}

}  // namespace swarm::raft
