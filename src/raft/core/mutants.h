#pragma once

// Classic mistakes of Raft implementations, written where they would be made. The simulation is
// tested with them: it compiles a copy of raft with SWARM_MUTANTS defined, makes one mistake after
// the other and must find each (tests/simulation/raft_mutants.cpp says what they are). Everywhere
// else SWARM_MUTANT(name) is `false` and leaves nothing behind.
#ifdef SWARM_MUTANTS

#include <cstdint>

namespace swarm::raft {

enum class Mutant : uint8_t {
  none,
  vote_before_durable,
  vote_not_persisted,
  vote_ignores_log,
  vote_erased_on_step_down,
  own_vote_before_durable,
  late_vote_counts,
  no_pre_vote,
  no_stickiness,
  no_check_quorum,
  commit_old_term,
  commit_past_agreed,
  heartbeat_commits_unmatched,
  leader_counts_unsynced,
  ack_before_durable,
  late_ack_counts,
  persist_ack_by_index,
  truncate_without_conflict,
  truncation_keeps_configuration,
  snapshot_overwrites_newer_log,
  gap_behind_snapshot,
  stale_read,
  read_before_own_commit,
  two_changes_at_once,
  change_before_own_commit,
  joint_counts_new_only,
  full_disk_ignored,
  failed_sync_retried,
  log_not_synced,
  recovery_not_synced,
  corruption_cut,
  segment_name_not_synced,
  snapshot_not_synced,
  lost_state_ignored,
};

// One at a time, chosen before anything runs.
inline Mutant chosen_mutant = Mutant::none;

}  // namespace swarm::raft

#define SWARM_MUTANT(name) (::swarm::raft::chosen_mutant == ::swarm::raft::Mutant::name)
#else
#define SWARM_MUTANT(name) false
#endif
