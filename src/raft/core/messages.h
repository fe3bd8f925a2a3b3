#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "raft/core/configuration.h"
#include "raft/core/entry.h"

namespace swarm::raft {

// What members say to each other. Every message carries its sender's term. They may be lost,
// repeated and reordered in any way.

// The leader: entries that follow (previous_index, previous_term), contiguous; none only to probe.
struct AppendEntries {
  Term term{};
  Index previous_index{};
  Term previous_term{};
  Index commit{};
  std::vector<Entry> entries;
};

// Accepted: everything up to `index` agrees with the leader and is durable here. Rejected: there is
// no such entry at `index`; the leader finds where the logs part at or under (hint_index,
// hint_term). With a term above the leader's it tells a stale leader to step down.
struct AppendReply {
  Term term{};
  bool is_rejected = false;
  Index index{};
  Index hint_index{};
  Term hint_term{};
};

// The leader: I am still here, and entries up to `commit` (which you have) are committed.
// `acknowledged` is the last entry of which you told me that it is durable; `acknowledged_term` is
// its term, 0 when I do not hold it any more. Whoever lacks it has lost what it promised.
struct Heartbeat {
  Term term{};
  Index commit{};
  uint64_t read_position = 0;  // confirmed by the reply, with all before it
  bool wants_reply = true;
  Index acknowledged{};
  Term acknowledged_term{};
};

struct HeartbeatReply {
  Term term{};
  uint64_t read_position = 0;
};

// A candidate. In a pre-vote `term` is the one it would start: nobody's state changes by it.
struct VoteRequest {
  Term term{};
  Index last_index{};
  Term last_term{};
  bool is_pre_vote = false;
  // The old leader asked for this election: stickiness does not apply.
  bool is_transfer = false;
};

struct VoteReply {
  Term term{};  // granted: the term asked for; refused: the voter's own
  bool is_pre_vote = false;
  bool is_granted = false;
};

// The leader to the voter it hands over to: start an election at once.
struct TimeoutNow {
  Term term{};
};

// A piece of a snapshot, sent in order, one at a time. `sequence` starts at 0. Snapshots of the
// same index and term are the same bytes on every member, so what was received stays good when the
// connection breaks, and when the leader changes: the answer says where to go on.
struct SnapshotPart {
  Term term{};
  SnapshotMeta meta;
  uint64_t sequence = 0;
  uint32_t crc = 0;  // CRC32C of the data of all parts up to this one
  bool ends_chunk = false;
  bool ends_snapshot = false;
  std::string data;
};

struct SnapshotPartReply {
  Term term{};
  Index index{};  // of the snapshot
  uint64_t next_sequence = 0;
};

// A follower to its leader: up to which index must I have applied to serve reads that arrived
// before this? `context` is one life of the asking process: answers to an earlier one say nothing.
struct ReadIndexRequest {
  Term term{};
  uint64_t context = 0;
  uint64_t position = 0;  // answered, with all before it
};

// The sender was still the leader after the request had arrived, when `index` was committed.
struct ReadIndexReply {
  Term term{};
  uint64_t context = 0;
  uint64_t position = 0;
  Index index{};
};

// A member, to whoever may lead: I am reached at another address than the configuration says. Heard
// whatever its term, because those who call the old address cannot tell it a newer one.
struct AddressAnnouncement {
  Term term{};
  std::string address;
};

// Numbered on the wire in this order: add only at the end.
using Message = std::variant<AppendEntries, AppendReply, Heartbeat, HeartbeatReply, VoteRequest,
                             VoteReply, TimeoutNow, SnapshotPart, SnapshotPartReply,
                             ReadIndexRequest, ReadIndexReply, AddressAnnouncement>;

struct Envelope {
  MemberId to;
  Message message;
};

inline Term term_of(const Message& message) {
  return std::visit([](const auto& body) { return body.term; }, message);
}

}  // namespace swarm::raft
