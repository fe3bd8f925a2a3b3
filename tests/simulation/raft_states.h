#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>

namespace swarm::test {

// States in which bugs hide. A campaign that was never in one of them proves nothing about it, so
// it fails: either the faults must reach it, or it is dead code.
enum class State : uint8_t {
  split_vote,
  pre_vote_refused,
  leader_refused_connections,
  two_leaders_in_two_terms,
  quorum_lost,
  vote_forgotten_before_durable,
  leader_died_with_uncommitted,
  old_term_committed,
  entries_truncated,
  configuration_truncated,
  configuration_changed_hands,
  transfer_done,
  transfer_timed_out,
  learner_promoted,
  joint_entered,
  leader_changed_while_joint,
  voter_removed,
  read_confirmed,
  read_failed,
  follower_read,
  inflight_full,
  proposal_over_bound,
  snapshot_installed,
  snapshot_resumed,
  no_snapshot_new_enough,
  tail_lost,
  snapshot_without_marker,
  segment_used_again,
  names_lost,
  full_at_segment_switch,
  full_disk_stalled,
  sync_ran_out,
  sync_failed,
  sync_lost,
  recovery_crashed,
  damage_refused,
  lost_state_refused,
  paused_past_election,
  everyone_down,
  count,
};

inline constexpr size_t kStates = static_cast<size_t>(State::count);

// In the order of State.
inline constexpr std::array<std::string_view, kStates> kStateNames = {
    "an election ended without a leader",
    "a pre-vote was refused because a leader is heard",
    "a refused connection told that the leader is gone",
    "a deposed leader did not know it yet",
    "a leader stepped down because no quorum answered",
    "power was lost between a vote and its becoming durable",
    "a leader died with entries that were not committed",
    "entries of an old term were committed by one of the new",
    "entries were truncated by another leader",
    "a configuration was truncated by another leader",
    "a leader took over a configuration that was not committed",
    "leadership was handed over",
    "a transfer of leadership timed out",
    "a learner was promoted",
    "a joint configuration was entered",
    "a leader took over a joint configuration",
    "a voter was removed",
    "a read was confirmed",
    "a read failed because leadership was lost",
    "a follower served a read",
    "the window of appends to a peer was full",
    "leadership was given up for want of room for proposals",
    "a snapshot was installed",
    "a snapshot was resumed under another leader",
    "a peer lacked entries that no snapshot covered yet",
    "a crash took the tail of a log",
    "a crash came between a snapshot and its marker in the log",
    "a retired segment was used again",
    "a crash took names of files",
    "the disk was full while a segment was switched",
    "a full disk stopped a member",
    "a sync found no room",
    "a sync failed",
    "a sync was lost for good",
    "power was lost during recovery",
    "a damaged disk was refused",
    "a log that was lost or older than promised was refused",
    "a pause outlasted an election",
    "every member was down at once",
};

using States = std::bitset<kStates>;

}  // namespace swarm::test
