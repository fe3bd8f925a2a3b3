#include "raft_invariants.h"

namespace swarm::test {

namespace {

std::string text(raft::MemberId member) {
  return "member " + std::to_string(member.value());
}

}  // namespace

void RaftInvariants::violate(const std::string& what) {
  if (!violation_) {
    violation_ = what;
  }
}

void RaftInvariants::look(raft::MemberId member, uint64_t incarnation, const raft::RaftCore& core) {
  Seen& seen = seen_[member];
  if (seen.incarnation != incarnation) {
    seen = Seen();
    seen.incarnation = incarnation;
  }
  const std::array<uint64_t, 8> state = state_of(core);
  if (state == seen.state) {
    return;
  }
  seen.state = state;
  if (core.term().value() < seen.term) {
    violate(text(member) + ": the term went down");
  }
  seen.term = core.term().value();
  check_log(member, seen, core);
  check_commit(member, seen, core);
  if (core.is_leader()) {
    check_leader(member, core);
  }
}

std::array<uint64_t, 8> RaftInvariants::state_of(const raft::RaftCore& core) {
  return {core.term().value(),
          static_cast<uint64_t>(core.role()) + 1,
          core.log().base().value(),
          core.log().last().value(),
          core.log().last_term().value(),
          core.stable().value(),
          core.committed().value(),
          core.handed_to_apply().value() << 32 | core.applied().value()};
}

// Election safety, and leader completeness at the moment of the election.
void RaftInvariants::check_leader(raft::MemberId member, const raft::RaftCore& core) {
  const auto [found, is_new] = leaders_.try_emplace(core.term().value(), member);
  if (!is_new) {
    if (found->second != member) {
      violate("two leaders in term " + std::to_string(core.term().value()) + ": " +
              text(found->second) + " and " + text(member));
    }
    return;
  }
  for (uint64_t index = core.log().base().value() + 1; index <= committed_.size(); ++index) {
    if (!core.log().holds(raft::Index(index), raft::Term(committed_[index - 1]))) {
      violate(text(member) + " leads term " + std::to_string(core.term().value()) +
              " without committed entry " + std::to_string(index));
    }
  }
}

RaftInvariants::Fingerprint RaftInvariants::fingerprint(const raft::RaftCore& core,
                                                        uint64_t index) {
  const raft::Entry& entry = core.log().at(raft::Index(index));
  Fingerprint result;
  result.term = entry.term.value();
  result.previous_term = core.log().term_at(raft::Index(index - 1)).value_or(raft::Term()).value();
  const uint64_t content = entry.data == nullptr ? 0 : std::hash<std::string>{}(*entry.data);
  result.content = content * 31 + static_cast<uint64_t>(entry.kind);
  return result;
}

// Log matching: an index and a term name one entry, whose predecessor is one entry too.
void RaftInvariants::check_log(raft::MemberId member, Seen& seen, const raft::RaftCore& core) {
  const uint64_t base = core.log().base().value();
  const uint64_t last = core.log().last().value();
  seen.terms.erase(seen.terms.upper_bound(last), seen.terms.end());
  seen.terms.erase(seen.terms.begin(), seen.terms.upper_bound(base));
  for (uint64_t index = last; index > base; --index) {
    const Fingerprint now = fingerprint(core, index);
    const auto known = seen.terms.find(index);
    if (known != seen.terms.end() && known->second == now.term) {
      break;  // compared before, and so was all before it
    }
    seen.terms[index] = now.term;
    const auto [found, is_new] = entries_.try_emplace(std::pair(index, now.term), now);
    if (!is_new && found->second != now) {
      violate("log matching: " + text(member) + " has another entry " + std::to_string(index) +
              " of term " + std::to_string(now.term));
    }
  }
}

// State machine safety as far as the log goes: one entry per committed index, for ever.
void RaftInvariants::check_commit(raft::MemberId member, Seen& seen, const raft::RaftCore& core) {
  const uint64_t commit = core.committed().value();
  const uint64_t applied = core.applied().value();
  if (commit < seen.commit || applied < seen.applied) {
    violate(text(member) + ": commit or applied index went down");
  }
  if (applied > core.handed_to_apply().value() || core.handed_to_apply().value() > commit ||
      core.handed_to_apply() > core.stable() || commit > core.log().last().value()) {
    violate(text(member) + ": applied <= handed out <= committed and durable does not hold");
  }
  const uint64_t base = core.log().base().value();
  for (uint64_t index = std::max(seen.commit, base) + 1; index <= commit; ++index) {
    const uint64_t term = core.log().at(raft::Index(index)).term.value();
    if (index > committed_.size()) {
      if (index != committed_.size() + 1) {
        violate(text(member) + ": committed past what anybody had committed");
        return;
      }
      committed_.push_back(term);
    } else if (committed_[index - 1] != term) {
      violate(text(member) + ": committed another entry at " + std::to_string(index));
    }
  }
  seen.commit = commit;
  seen.applied = applied;
}

void RaftInvariants::on_applied(raft::MemberId member, const raft::CommittedEntry& entry) {
  const auto [found, is_new] =
      applied_.try_emplace(entry.index.value(), entry.term.value(), *entry.data);
  if (!is_new && found->second != std::pair(entry.term.value(), *entry.data)) {
    violate(text(member) + ": applied another entry at " + std::to_string(entry.index.value()));
  }
}

void RaftInvariants::on_vote_sent(raft::MemberId voter, raft::Term term, raft::MemberId candidate) {
  const auto [found, is_new] = votes_.try_emplace(std::pair(voter, term.value()), candidate);
  if (!is_new && found->second != candidate) {
    violate(text(voter) + " voted twice in term " + std::to_string(term.value()));
  }
}

}  // namespace swarm::test
