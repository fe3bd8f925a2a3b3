#include <gmock/gmock.h>

#include "replica_group.h"

namespace swarm::raft::test {
namespace {

TEST(Replica, ProposalsOfAnotherTermAreDropped) {
  Group group;
  Group::Node& node = group.start_first();
  node.replica->propose(Term(node.machine->leads->value() - 1), "old");
  ASSERT_TRUE(group.write(node, "new"));
  EXPECT_EQ(node.machine->texts, std::vector<std::string>{"new"});
}

TEST(Replica, LeadershipIsConfirmedOnlyByAQuorum) {
  Group group;
  group.start_three();
  std::optional<Status> confirmed;
  group.node(1).replica->confirm_leadership([&](const Status& status) { confirmed = status; });
  ASSERT_TRUE(group.world.run_until([&] { return confirmed.has_value(); }, milliseconds(10)));
  EXPECT_TRUE(confirmed->ok());

  confirmed.reset();
  group.node(1).is_cut = true;
  group.node(1).replica->confirm_leadership([&](const Status& status) { confirmed = status; });
  ASSERT_TRUE(group.world.run_until([&] { return confirmed.has_value(); }, seconds(5)));
  EXPECT_TRUE(absl::IsUnavailable(*confirmed)) << *confirmed;

  confirmed.reset();
  group.node(3).replica->confirm_leadership([&](const Status& status) { confirmed = status; });
  ASSERT_TRUE(group.world.run_until([&] { return confirmed.has_value(); }, seconds(5)));
}

TEST(Replica, ApplyIsBoundedByAcknowledgements) {
  Group group;
  Group::Node& node = group.start_first();
  node.machine->acknowledges = false;
  for (int i = 0; i < 20; ++i) {
    node.replica->propose(*node.machine->leads, std::string(1 << 20, 'x'));
  }
  group.world.run_for(seconds(1));
  const size_t handed = node.machine->texts.size();
  EXPECT_LT(handed, 10u);
  node.machine->acknowledges = true;
  node.replica->applied(node.machine->applied);
  EXPECT_TRUE(group.world.run_until([&] { return node.machine->texts.size() == 20; }));
}

TEST(Replica, EveryMemberServesReadsOfWhatWasCommittedBefore) {
  Group group;
  group.start_three();
  for (const uint64_t id : {1, 2, 3}) {
    const std::string text = "before " + std::to_string(id);
    ASSERT_TRUE(group.write(group.node(1), text));
    std::optional<Result<Index>> read;
    bool was_there = false;
    group.node(id).replica->read_index([&](const Result<Index>& index) {
      read = index;
      was_there = Group::has(group.node(id), text);
    });
    ASSERT_TRUE(group.world.run_until([&] { return read.has_value(); }, seconds(1)));
    EXPECT_TRUE(read->ok()) << read->status();
    EXPECT_TRUE(was_there) << "member " << id;
  }
}

TEST(Replica, AReadWaitsUntilItsIndexIsApplied) {
  Group group;
  group.start_three();
  group.node(3).machine->acknowledges = false;
  ASSERT_TRUE(group.write(group.node(1), "a"));
  bool is_done = false;
  group.node(3).replica->read_index([&](const Result<Index>& index) { is_done = index.ok(); });
  group.world.run_for(seconds(1));
  EXPECT_FALSE(is_done);
  group.node(3).replica->applied(group.node(3).machine->applied);
  EXPECT_TRUE(is_done);
}

TEST(Replica, AReadOfAMemberThatIsCutOffFails) {
  Group group;
  group.start_three();
  group.node(3).is_cut = true;
  std::optional<Result<Index>> read;
  group.node(3).replica->read_index([&](const Result<Index>& index) { read = index; });
  ASSERT_TRUE(group.world.run_until([&] { return read.has_value(); }, seconds(5)));
  EXPECT_TRUE(absl::IsUnavailable(read->status())) << read->status();
}

TEST(Replica, TheOutcomeOfAProposalIsTold) {
  Group group;
  group.start_three();
  Group::Node& first = group.node(1);
  const Term term = *first.machine->leads;
  std::optional<ProposalOutcome> outcome;
  const auto note = [&](ProposalOutcome told) { outcome = told; };
  first.replica->propose(term, "a", note);
  ASSERT_TRUE(group.world.run_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(*outcome, ProposalOutcome::committed);
  EXPECT_TRUE(Group::has(first, "a")) << "and the state machine has it";

  outcome.reset();
  group.node(2).replica->propose(term, "b", note);
  EXPECT_EQ(outcome, ProposalOutcome::dropped) << "it does not lead";

  outcome.reset();
  first.is_cut = true;
  first.replica->propose(term, "c", note);
  ASSERT_TRUE(group.world.run_until([&] { return outcome.has_value(); }, seconds(5)));
  EXPECT_EQ(*outcome, ProposalOutcome::unknown);
}

TEST(Replica, WhatIsProposedWhileTheDiskWritesGoesToAllAsOneGroup) {
  Group group;
  group.start_three();
  Group::Node& first = group.node(1);
  std::vector<size_t> groups;
  group.intercept = [&](MemberId, MemberId to, const std::string& message) {
    const Result<Message> decoded = decode_message(message);
    const auto* const append = decoded.ok() ? std::get_if<AppendEntries>(&*decoded) : nullptr;
    if (to == MemberId(2) && append != nullptr && !append->entries.empty()) {
      groups.push_back(append->entries.size());
    }
    return true;
  };
  const Term term = *first.machine->leads;
  group.log_loop.stall_until(group.world.now() + milliseconds(10));
  for (const char* text : {"a", "b", "c"}) {
    first.replica->propose(term, text);
    group.world.run_for(milliseconds(1));
  }
  ASSERT_TRUE(group.world.run_until([&] { return Group::has(first, "c"); }, seconds(5)));
  EXPECT_THAT(groups, testing::ElementsAre(1, 2));
}

TEST(Replica, TooMuchWaitingDropsAProposalThatHearsOfItAndKeepsTheLeader) {
  Group group;
  group.start_three();
  group.node(2).is_cut = true;
  group.node(3).is_cut = true;
  Group::Node& first = group.node(1);
  int dropped = 0;
  for (int i = 0; i < 70; ++i) {
    first.replica->propose(
        *first.machine->leads, std::string(1 << 20, 'x'),
        [&](ProposalOutcome told) { dropped += told == ProposalOutcome::dropped ? 1 : 0; });
  }
  group.world.settle();
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, 20);
  EXPECT_TRUE(first.machine->leads.has_value());
  EXPECT_GE(first.replica->metrics().uncommitted_bytes, 50u << 20);
}

TEST(Replica, MetricsShowWhatGoesOn) {
  Group group;
  group.start_three();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(group.write(group.node(1), std::to_string(i)));
  }
  group.world.run_for(seconds(1));
  const ReplicaMetrics metrics = group.node(1).replica->metrics();
  EXPECT_EQ(metrics.term, *group.node(1).machine->leads);
  EXPECT_EQ(metrics.role, Role::leader);
  EXPECT_EQ(metrics.leader, MemberId(1));
  EXPECT_EQ(metrics.committed, metrics.last);
  EXPECT_EQ(metrics.applied, metrics.last);
  EXPECT_EQ(metrics.durable, metrics.last);
  EXPECT_EQ(metrics.uncommitted_bytes, 0u);
  EXPECT_GE(metrics.fsync.count, 10u);
  EXPECT_GE(metrics.apply.count, 10u);
  EXPECT_GE(metrics.loop_lag.count, 10u);
  ASSERT_EQ(metrics.peers.size(), 2u);
  for (const PeerMetrics& peer : metrics.peers) {
    EXPECT_EQ(peer.match, metrics.last);
    EXPECT_EQ(peer.next, Index(metrics.last.value() + 1));
    EXPECT_EQ(peer.state, raft::Progress::State::replicate);
    EXPECT_TRUE(peer.is_reachable);
    EXPECT_EQ(peer.inflight_messages, 0u);
  }
  const ReplicaMetrics other = group.node(2).replica->metrics();
  EXPECT_EQ(other.role, Role::follower);
  EXPECT_TRUE(other.peers.empty());
}

TEST(Replica, LatenciesAreThoseOfTheLastSeconds) {
  LatencyWindow window;
  TimePoint now(seconds(100));
  window.add(now, milliseconds(8));
  window.add(now, milliseconds(2));
  EXPECT_EQ(window.summary(now).count, 2u);
  EXPECT_EQ(window.summary(now).mean, milliseconds(5));
  EXPECT_EQ(window.summary(now).max, milliseconds(8));
  now += seconds(7);
  window.add(now, milliseconds(1));
  EXPECT_EQ(window.summary(now).max, milliseconds(8));
  now += seconds(6);
  window.add(now, milliseconds(3));
  EXPECT_EQ(window.summary(now).max, milliseconds(3));
  EXPECT_EQ(window.summary(now).count, 2u);
  now += seconds(60);
  EXPECT_EQ(window.summary(now).count, 0u);
  EXPECT_EQ(window.summary(now).last, milliseconds(3));
}

TEST(Replica, AConnectionThatCarriesHeartbeatsAndNoEntriesIsMadeAnew) {
  Group group;
  group.start_three();
  group.intercept = [](MemberId, MemberId to, const std::string& message) {
    return to != MemberId(3) || !std::holds_alternative<AppendEntries>(*decode_message(message));
  };
  ASSERT_TRUE(group.write(group.node(1), "a"));
  ASSERT_TRUE(
      group.world.run_until([&] { return !group.node(1).link.resets.empty(); }, seconds(5)));
  EXPECT_EQ(group.node(1).link.resets.front(), MemberId(3));
  group.intercept = nullptr;
  EXPECT_TRUE(group.world.run_until([&] { return Group::has(group.node(3), "a"); }));
}

}  // namespace
}  // namespace swarm::raft::test
