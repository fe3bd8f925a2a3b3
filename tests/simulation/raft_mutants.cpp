#include "raft_mutants.h"

#include <algorithm>
#include <array>

#include "raft/core/mutants.h"

namespace swarm::test {

#ifdef SWARM_MUTANTS

namespace {

using raft::Mutant;

struct Choice {
  Mutant mutant;
  MutantRecord record;
};

constexpr Choice kChoices[] = {
    {Mutant::vote_before_durable,
     {"vote_before_durable", "a vote is sent before it is on disk", 60}},
    {Mutant::vote_not_persisted, {"vote_not_persisted", "the vote is not written", 20}},
    {Mutant::vote_ignores_log,
     {"vote_ignores_log", "a vote goes to a candidate whose log is behind", 50}},
    {Mutant::vote_erased_on_step_down,
     {"vote_erased_on_step_down", "stepping down in a term forgets its vote", 20}},
    {Mutant::own_vote_before_durable,
     {"own_vote_before_durable", "a candidate asks before its own vote is on disk", 150}},
    {Mutant::late_vote_counts, {"late_vote_counts", "a vote of an earlier term is counted", 700}},
    {Mutant::no_pre_vote, {"no_pre_vote", "campaigns without asking first", 150}},
    {Mutant::no_stickiness, {"no_stickiness", "helps to depose a leader that it hears", 2000}},
    {Mutant::no_check_quorum, {"no_check_quorum", "a leader that nobody answers goes on", 250}},
    {Mutant::commit_old_term,
     {"commit_old_term", "commits an entry of an older term by counting", 20}},
    {Mutant::commit_past_agreed,
     {"commit_past_agreed", "commits up to the end of the log, not of what was agreed", 20000}},
    {Mutant::heartbeat_commits_unmatched,
     {"heartbeat_commits_unmatched", "tells a follower to commit what it may not have", 250}},
    {Mutant::leader_counts_unsynced,
     {"leader_counts_unsynced", "a leader counts itself before its own sync", 20}},
    {Mutant::ack_before_durable,
     {"ack_before_durable", "a follower acknowledges before its sync", 20}},
    {Mutant::late_ack_counts,
     {"late_ack_counts", "an acknowledgement of an earlier term is counted", 700}},
    {Mutant::persist_ack_by_index,
     {"persist_ack_by_index", "storage acknowledges by index alone (ABA)", 500}},
    {Mutant::truncate_without_conflict,
     {"truncate_without_conflict", "a late append cuts the log", 20}},
    {Mutant::truncation_keeps_configuration,
     {"truncation_keeps_configuration", "a truncated configuration stays in force", 400}},
    {Mutant::snapshot_overwrites_newer_log,
     {"snapshot_overwrites_newer_log", "a snapshot drops entries after it that agree", 30000}},
    {Mutant::gap_behind_snapshot,
     {"gap_behind_snapshot", "sends a snapshot that ends before the log in memory begins", 100}},
    {Mutant::stale_read, {"stale_read", "a read is not confirmed by a quorum", 20}},
    {Mutant::read_before_own_commit,
     {"read_before_own_commit", "a new leader reads before it commits in its term", 200}},
    {Mutant::two_changes_at_once,
     {"two_changes_at_once", "changes the membership while a change is not committed", 50}},
    {Mutant::change_before_own_commit,
     {"change_before_own_commit", "changes the membership before it commits in its term", 250}},
    {Mutant::joint_counts_new_only,
     {"joint_counts_new_only", "a joint configuration counts its new half alone", 1200}},
    {Mutant::full_disk_ignored, {"full_disk_ignored", "a full disk counts as written", 120}},
    {Mutant::failed_sync_retried,
     {"failed_sync_retried", "a sync that failed is tried again", 100}},
    {Mutant::log_not_synced, {"log_not_synced", "the log is written and not synced", 20}},
    {Mutant::recovery_not_synced,
     {"recovery_not_synced", "what a killed process wrote is trusted unsynced", 250}},
    {Mutant::corruption_cut, {"corruption_cut", "damage is taken for a torn tail and cut", 200}},
    {Mutant::segment_name_not_synced,
     {"segment_name_not_synced", "the name of a new segment is not synced", 50}},
    {Mutant::snapshot_not_synced,
     {"snapshot_not_synced", "a snapshot is noted before it is on disk", 60}},
    {Mutant::lost_state_ignored,
     {"lost_state_ignored", "takes part with less than it promised to keep", 60}},
};

constexpr auto kRecords = [] {
  std::array<MutantRecord, std::size(kChoices)> records{};
  std::transform(std::begin(kChoices), std::end(kChoices), records.begin(),
                 [](const Choice& choice) { return choice.record; });
  return records;
}();

}  // namespace

std::span<const MutantRecord> mutants() {
  return kRecords;
}

bool choose_mutant(std::string_view name) {
  for (const Choice& choice : kChoices) {
    if (choice.record.name == name) {
      raft::chosen_mutant = choice.mutant;
      return true;
    }
  }
  return false;
}

#else

std::span<const MutantRecord> mutants() {
  return {};
}

bool choose_mutant(std::string_view) {
  return false;
}

#endif

}  // namespace swarm::test
