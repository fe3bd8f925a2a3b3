#include "raft/core/progress.h"

#include <algorithm>

namespace swarm::raft {

void Inflights::add(Index last, uint64_t bytes) {
  sent_.push_back({last, bytes});
  bytes_ += bytes;
}

void Inflights::free_until(Index index) {
  while (!sent_.empty() && sent_.front().last <= index) {
    free_first();
    window_ = std::min(window_ + 1, max_messages_);
  }
}

void Inflights::free_first() {
  if (!sent_.empty()) {
    bytes_ -= sent_.front().bytes;
    sent_.pop_front();
  }
}

void Inflights::clear() {
  sent_.clear();
  bytes_ = 0;
}

void Inflights::narrow() {
  window_ = std::max<size_t>(window_ / 2, 1);
}

void Progress::become_probe() {
  // After a snapshot the peer holds at least what the snapshot covered.
  next_ = state_ == State::snapshot ? std::max(after(match_), after(snapshot_)) : after(match_);
  state_ = State::probe;
  probe_sent_ = false;
  inflights_.clear();
}

void Progress::become_replicate() {
  state_ = State::replicate;
  next_ = after(match_);
  inflights_.clear();
}

void Progress::become_snapshot(Index snapshot) {
  state_ = State::snapshot;
  snapshot_ = snapshot;
  inflights_.clear();
}

bool Progress::may_send() const {
  switch (state_) {
    case State::probe:
      return !probe_sent_;
    case State::replicate:
      return !inflights_.is_full();
    case State::snapshot:
      return false;
  }
  return false;
}

void Progress::on_sent(Index last, uint64_t bytes, bool has_entries) {
  wants_nudge = false;
  if (state_ == State::probe) {
    probe_sent_ = true;
    return;
  }
  if (has_entries) {
    next_ = after(last);
    inflights_.add(last, bytes);
  }
}

bool Progress::on_accepted(Index index) {
  const bool moved = index > match_;
  if (moved) {
    match_ = index;
    next_ = std::max(next_, after(index));
    inflights_.free_until(index);
  }
  const bool is_answer_to_probe = state_ == State::probe && index == match_;
  const bool is_restored = state_ == State::snapshot && match_ >= snapshot_;
  if (is_answer_to_probe || is_restored) {
    become_replicate();
  }
  return moved || is_answer_to_probe;
}

bool Progress::on_rejected(Index rejected, Index agree_at_most) {
  if (state_ == State::replicate) {
    if (rejected <= match_) {
      return false;
    }
    become_probe();
    inflights_.narrow();
    return true;
  }
  if (state_ == State::snapshot || after(rejected) != next_) {
    return false;
  }
  const Index next = std::max(after(match_), std::min(rejected, after(agree_at_most)));
  if (next >= next_) {
    // It refuses what it had acknowledged: its disk lost it. Asking again at once would go on for
    // ever.
    return false;
  }
  next_ = next;
  probe_sent_ = false;
  return true;
}

void Progress::on_heartbeat_reply() {
  probe_sent_ = false;
  if (state_ == State::replicate && inflights_.is_full()) {
    inflights_.free_first();
  }
}

}  // namespace swarm::raft
