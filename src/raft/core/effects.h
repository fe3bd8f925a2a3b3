#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "raft/core/configuration.h"
#include "raft/core/entry.h"
#include "raft/core/messages.h"

namespace swarm::raft {

using PersistSeq = uint64_t;

// That a snapshot file holds everything up to `index`.
struct SnapshotMarker {
  Index index{};
  Term term{};
  bool resets_log = false;  // it came from a leader: entries in the log from before mean nothing

  bool operator==(const SnapshotMarker&) const = default;
};

// What the log must make durable, in the order of `seq`. Entries replace whatever the log holds
// from the first one's index on. An operation without contents is only to be acknowledged in its
// turn.
struct PersistOp {
  PersistSeq seq = 0;
  LogMark mark{};  // to be given back with the acknowledgement
  std::optional<HardState> hard_state;
  std::optional<SnapshotMarker> snapshot;
  std::vector<Entry> entries;
  // Entries up to here may be dropped once this is durable; empty for none.
  Index release_to{};

  bool has_contents() const { return hard_state || snapshot || !entries.empty(); }
};

struct SnapshotOrder {
  MemberId to;
};

struct ReceivedPart {
  MemberId from;
  SnapshotPart part;
};

struct ReceivedPartReply {
  MemberId from;
  SnapshotPartReply reply;
};

// A read may be served by whoever has applied `index`.
struct ReadyRead {
  uint64_t id = 0;
  Index index{};

  bool operator==(const ReadyRead&) const = default;
};

struct ProposalVerdict {
  uint64_t id = 0;
  ProposalOutcome outcome = ProposalOutcome::dropped;
};

// Why a leader hands leadership over of its own accord.
enum class Stall { none, storage, apply };

// Everything the driver must do, in one batch. Messages that must wait for storage are kept back by
// the core itself until `on_persisted`, so all of `send` may go at once, before `persist` is begun.
struct Effects {
  std::vector<Envelope> send;
  std::optional<PersistOp> persist;
  // Replace the state machine by the snapshot; before `apply`. Nothing is applied until
  // on_applied(restore->index).
  std::optional<SnapshotMeta> restore;
  // Committed and durable here. All kinds: the driver passes on the commands.
  std::vector<Entry> apply;
  std::vector<ProposalVerdict> verdicts;  // after `apply`
  std::vector<ReadyRead> reads_ready;
  std::vector<uint64_t> reads_failed;  // nobody leads, or another leader than when it was asked
  std::vector<SnapshotOrder> snapshots;
  std::vector<ReceivedPart> parts;  // of the current leader, for a snapshot that is news here
  std::vector<ReceivedPartReply> part_replies;
  bool configuration_changed = false;
  // The leader's process is gone: call campaign() after a random part of kRefusedDelayTicks, unless
  // a leader is known by then.
  bool campaign_soon = false;
  // These answer heartbeats, but have for long not acknowledged the entries they lack: make their
  // connections anew.
  std::vector<MemberId> stuck_peers;
  Stall stall = Stall::none;
  // The leader counts on this entry, which is not here: this member gives no more effects.
  std::optional<Index> lost;

  bool is_empty() const {
    return send.empty() && !persist && !restore && apply.empty() && verdicts.empty() &&
           reads_ready.empty() && reads_failed.empty() && snapshots.empty() && parts.empty() &&
           part_replies.empty() && !configuration_changed && !campaign_soon &&
           stuck_peers.empty() && stall == Stall::none && !lost;
  }
};

}  // namespace swarm::raft
