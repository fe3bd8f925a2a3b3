// Reads that any member can serve, through its leader (thesis 6.4).

#include <algorithm>

#include "raft/core/mutants.h"
#include "raft/core/raft_core.h"

namespace swarm::raft {

void RaftCore::read_index(uint64_t id) {
  if (leader_.is_empty()) {
    effects_.reads_failed.push_back(id);
    return;
  }
  if (SWARM_MUTANT(stale_read)) {
    effects_.reads_ready.push_back({id, committed_});
    return;
  }
  reads_.add({MemberId(), 0, id, Index()});
}

// One heartbeat, or one question to the leader, for all reads of this batch.
void RaftCore::flush_reads() {
  if (role_ == Role::leader) {
    // What earlier terms committed is known only with an entry of this one (Raft 8).
    const bool may_read = log_.term_at(committed_) == term_ || SWARM_MUTANT(read_before_own_commit);
    if (may_read && reads_.assign(committed_)) {
      broadcast_heartbeat();
      confirm_reads();
    }
  } else if (reads_.assign(Index())) {
    ask_for_read_index();
  }
}

void RaftCore::ask_for_read_index() {
  send(leader_,
       ReadIndexRequest{.term = term_, .context = read_context_, .position = reads_.position()});
}

void RaftCore::confirm_reads() {
  if (!reads_.has_unconfirmed()) {
    return;
  }
  const uint64_t confirmed = quorum_.reached([this](MemberId id) {
    const auto found = progress_.find(id);
    if (id == options_.self) {
      return reads_.position();
    }
    return found == progress_.end() ? uint64_t{0} : found->second.read_confirmed;
  });
  for (const ReadQueue::Read& read : reads_.confirm(confirmed)) {
    if (read.from.is_empty()) {
      effects_.reads_ready.push_back({read.id, read.index});
    } else {
      send(read.from,
           ReadIndexReply{
               .term = term_, .context = read.context, .position = read.id, .index = read.index});
    }
  }
}

// Whoever asked from another member learns by itself that its leader is gone.
void RaftCore::fail_reads() {
  for (const ReadQueue::Read& read : reads_.take_all()) {
    if (read.from.is_empty()) {
      effects_.reads_failed.push_back(read.id);
    }
  }
}

void RaftCore::handle(MemberId from, const ReadIndexRequest& request) {
  if (heard_from(from) != nullptr) {
    reads_.add({from, request.context, request.position, Index()});
  }
}

// Of this term, or it would not have come here; and of the leader that was asked: reads are failed
// when that changes (etcd#20418).
void RaftCore::handle(MemberId from, const ReadIndexReply& reply) {
  if (role_ != Role::follower || from != leader_ || reply.context != read_context_) {
    return;
  }
  for (const ReadQueue::Read& read : reads_.confirm(reply.position)) {
    effects_.reads_ready.push_back({read.id, reply.index});
  }
}

}  // namespace swarm::raft
