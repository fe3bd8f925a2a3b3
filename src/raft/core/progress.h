#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "raft/core/entry.h"

namespace swarm::raft {

// The appends that were sent to a peer and not answered, bounded in number and in bytes.
//
// The bound on their number is a window that each refusal halves and each answer opens by one, as
// TCP does (RFC 5681, additive increase and multiplicative decrease): on links that reorder, every
// gap that the peer sees makes the leader send again from there, and with a fixed window it would
// fill the link with what arrives in the wrong order once more.
class Inflights {
 public:
  Inflights(size_t max_messages, uint64_t max_bytes)
      : max_messages_(max_messages), window_(max_messages), max_bytes_(max_bytes) {}

  bool is_full() const { return sent_.size() >= window_ || bytes_ >= max_bytes_; }
  void add(Index last, uint64_t bytes);
  // Those that end at or before `index` were answered.
  void free_until(Index index);
  // Gives room for one message when the answers may have been lost.
  void free_first();
  void clear();
  void narrow();

  size_t messages() const { return sent_.size(); }
  size_t window() const { return window_; }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Sent {
    Index last;
    uint64_t bytes;
  };
  size_t max_messages_;
  size_t window_;
  uint64_t max_bytes_;
  std::deque<Sent> sent_;
  uint64_t bytes_ = 0;
};

// What a leader knows of one member, and how it sends to it (etcd-io/raft's tracker.Progress):
// `probe` sends one append and waits, to find where the logs agree; `replicate` streams, assuming
// that all arrives; `snapshot` sends no entries until the snapshot is installed.
class Progress {
 public:
  enum class State { probe, replicate, snapshot };

  Progress(Index next, Inflights inflights) : next_(next), inflights_(std::move(inflights)) {}

  State state() const { return state_; }
  Index match() const { return match_; }  // agrees with the leader and is durable there
  Index next() const { return next_; }
  Index snapshot() const { return snapshot_; }  // in state snapshot: entries go on behind it
  const Inflights& inflights() const { return inflights_; }

  void become_probe();
  void become_replicate();
  void become_snapshot(Index snapshot);

  bool may_send() const;
  // `last` is the last entry of an append, or the one before its first when it has none.
  void on_sent(Index last, uint64_t bytes, bool has_entries);
  // Whether `match` moved, or a probe was answered.
  bool on_accepted(Index index);
  // Whether the refusal says something new; otherwise it is late and must be ignored, or duplicates
  // would make messages without end.
  bool on_rejected(Index rejected, Index agree_at_most);
  // A reply that shows the peer alive: a lost answer must not stop the stream for ever.
  void on_heartbeat_reply();

  // Set and read by the leader.
  bool is_active = false;            // heard from since the last check of the quorum
  std::optional<uint64_t> heard_at;  // in ticks of the core
  uint64_t moved_at = 0;             // when `match` moved last, or had nowhere to go
  bool wants_nudge = false;     // send an append even without entries: something may have been lost
  Index commit_sent;            // the commit index it was told last
  uint64_t read_confirmed = 0;  // the highest read position it has answered
  Index round_target;           // of a learner catching up: the end of the log when the round began
  uint64_t round_started = 0;

 private:
  State state_ = State::probe;
  Index match_;
  Index next_;
  bool probe_sent_ = false;
  Index snapshot_;
  Inflights inflights_;
};

}  // namespace swarm::raft
