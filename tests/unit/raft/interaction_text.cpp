#include "interaction_text.h"

namespace swarm::raft::test {

std::string text_of(Index index, Term term) {
  return std::to_string(index.value()) + "/" + std::to_string(term.value());
}

std::string text_of(Index index) {
  return std::to_string(index.value());
}

namespace {

struct Printer {
  std::string operator()(const AppendEntries& m) const {
    std::string text = "append after " + text_of(m.previous_index, m.previous_term) + " commit " +
                       text_of(m.commit);
    for (const Entry& entry : m.entries) {
      text += " [" + text_of(entry.index, entry.term);
      text += entry.kind == EntryKind::noop         ? " noop]"
              : entry.kind == EntryKind::membership ? " membership]"
                                                    : " " + *entry.data + "]";
    }
    return text;
  }
  std::string operator()(const AppendReply& m) const {
    return m.is_rejected
               ? "reject " + text_of(m.index) + " hint " + text_of(m.hint_index, m.hint_term)
               : "accept " + text_of(m.index);
  }
  std::string operator()(const Heartbeat& m) const {
    return "heartbeat commit " + text_of(m.commit) + " read " + std::to_string(m.read_position) +
           (m.wants_reply ? "" : " (no reply)");
  }
  std::string operator()(const HeartbeatReply& m) const {
    return "heartbeat reply read " + std::to_string(m.read_position);
  }
  std::string operator()(const VoteRequest& m) const {
    return std::string(m.is_pre_vote ? "pre-vote" : "vote") + " request last " +
           text_of(m.last_index, m.last_term) + (m.is_transfer ? " transfer" : "");
  }
  std::string operator()(const VoteReply& m) const {
    return std::string(m.is_pre_vote ? "pre-vote " : "vote ") +
           (m.is_granted ? "granted" : "refused");
  }
  std::string operator()(const TimeoutNow&) const { return "timeout now"; }
  std::string operator()(const SnapshotPart& m) const {
    return "snapshot " + text_of(m.meta.index, m.meta.term);
  }
  std::string operator()(const SnapshotPartReply& m) const {
    return "snapshot reply " + text_of(m.index);
  }
  std::string operator()(const ReadIndexRequest& m) const {
    return "read index request " + std::to_string(m.position);
  }
  std::string operator()(const ReadIndexReply& m) const {
    return "read index reply " + std::to_string(m.position) + " at " + text_of(m.index);
  }
  std::string operator()(const AddressAnnouncement& m) const { return "address " + m.address; }
};

}  // namespace

std::string text_of(const Message& message) {
  return std::visit(Printer(), message);
}

const char* text_of(Role role) {
  switch (role) {
    case Role::follower:
      return "follower";
    case Role::pre_candidate:
      return "pre-candidate";
    case Role::candidate:
      return "candidate";
    case Role::leader:
      return "leader";
  }
  return "?";
}

const char* text_of(ProposalOutcome outcome) {
  switch (outcome) {
    case ProposalOutcome::committed:
      return "committed";
    case ProposalOutcome::dropped:
      return "dropped";
    case ProposalOutcome::unknown:
      return "unknown";
  }
  return "?";
}

std::string text_of(MemberId id) {
  return std::to_string(id.value());
}

}  // namespace swarm::raft::test
