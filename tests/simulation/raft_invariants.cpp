#include "raft_invariants.h"

#include <algorithm>

namespace swarm::test {

namespace {

std::string text(raft::MemberId member) {
  return "member " + std::to_string(member.value());
}

uint64_t hash_of(const std::string& data) {
  return std::hash<std::string>{}(data);
}

// The two lists of voters that decide, the second one empty unless the configuration is joint.
std::array<std::vector<raft::MemberId>, 2> halves_of(const raft::Configuration& configuration) {
  std::array<std::vector<raft::MemberId>, 2> halves{configuration.voters(), {}};
  for (const raft::Member& outgoing : configuration.outgoing) {
    halves[1].push_back(outgoing.id);
  }
  return halves;
}

bool has_majority(const std::vector<raft::MemberId>& voters,
                  const std::vector<raft::MemberId>& present) {
  const auto there = std::count_if(voters.begin(), voters.end(), [&present](raft::MemberId id) {
    return std::find(present.begin(), present.end(), id) != present.end();
  });
  return static_cast<size_t>(there) * 2 > voters.size();
}

// Whether every quorum of one configuration meets every quorum of the other, by trying all sets.
bool intersect(const raft::Configuration& a, const raft::Configuration& b) {
  std::set<raft::MemberId> all;
  for (const raft::Configuration* const configuration : {&a, &b}) {
    for (const std::vector<raft::MemberId>& half : halves_of(*configuration)) {
      all.insert(half.begin(), half.end());
    }
  }
  const std::vector<raft::MemberId> ids(all.begin(), all.end());
  for (uint64_t set = 0; set < uint64_t{1} << ids.size(); ++set) {
    std::vector<raft::MemberId> in;
    std::vector<raft::MemberId> out;
    for (size_t i = 0; i < ids.size(); ++i) {
      ((set >> i & 1) != 0 ? in : out).push_back(ids[i]);
    }
    if (has_quorum(a, in) && has_quorum(b, out)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::set<raft::MemberId> members_of(const raft::Configuration& configuration) {
  std::set<raft::MemberId> members;
  for (const std::vector<raft::Member>* const list :
       {&configuration.members, &configuration.outgoing}) {
    for (const raft::Member& member : *list) {
      members.insert(member.id);
    }
  }
  return members;
}

bool has_quorum(const raft::Configuration& configuration,
                const std::vector<raft::MemberId>& present) {
  const auto [incoming, outgoing] = halves_of(configuration);
  return has_majority(incoming, present) && (outgoing.empty() || has_majority(outgoing, present));
}

void RaftInvariants::violate(const std::string& what) {
  if (!violation_) {
    violation_ = what;
  }
}

RaftInvariants::MemberRecord& RaftInvariants::record_of(raft::MemberId member) {
  if (members_.size() <= member.value()) {
    members_.resize(member.value() + 1);
  }
  return members_[member.value()];
}

void RaftInvariants::look(raft::MemberId member, uint64_t incarnation, const raft::RaftCore& core) {
  Seen& seen = record_of(member).seen;
  if (seen.incarnation != incarnation) {
    seen = Seen();
    seen.incarnation = incarnation;
  }
  if (core.is_leader()) {
    check_progress(member, core);
  }
  const std::array<uint64_t, 8> state = state_of(core);
  if (state == seen.state) {
    return;
  }
  seen.state = state;
  const uint64_t term = core.term().value();
  if (term < seen.term) {
    violate(text(member) + ": the term went down");
  }
  if (seen.has_led && term == seen.term && core.is_leader() &&
      core.log().last().value() < seen.last) {
    violate(text(member) + ": a leader took back an entry of its log");
  }
  const uint64_t last_before = seen.last;
  seen.term = term;
  seen.has_led = core.is_leader();
  seen.last = core.log().last().value();
  seen.stable = core.stable().value();
  check_promise(member, core);
  check_log(member, seen, core);
  check_commit(member, seen, last_before, core);
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

// Election safety, and leader completeness at the moment of the election: what was committed in a
// lower term. A member that was stopped may count the votes of a term that is long over.
void RaftInvariants::check_leader(raft::MemberId member, const raft::RaftCore& core) {
  const auto [found, is_new] = leaders_.try_emplace(core.term().value(), member);
  if (!is_new) {
    if (found->second != member) {
      violate("two leaders in term " + std::to_string(core.term().value()) + ": " +
              text(found->second) + " and " + text(member));
    }
    return;
  }
  check_election(member, core);
  check_peers(member, core);
  for (uint64_t index = core.log().base().value() + 1; index <= committed_.size(); ++index) {
    const Committed& entry = committed_[index - 1];
    if (entry.known_in < core.term().value() &&
        !core.log().holds(raft::Index(index), raft::Term(entry.term))) {
      violate(text(member) + " leads term " + std::to_string(core.term().value()) +
              " without committed entry " + std::to_string(index));
      return;
    }
  }
}

// Votes count for the term they were given in.
void RaftInvariants::check_election(raft::MemberId member, const raft::RaftCore& core) {
  std::vector<raft::MemberId> supporters{member};
  for (uint64_t id = 1; id < members_.size(); ++id) {
    const auto vote = votes_.find(std::pair(raft::MemberId(id), core.term().value()));
    if (id != member.value() && vote != votes_.end() && vote->second == member) {
      supporters.emplace_back(id);
    }
  }
  if (!has_quorum(core.configuration(), supporters)) {
    violate(text(member) + " leads term " + std::to_string(core.term().value()) +
            " without the votes of a quorum");
  }
}

// It replicates to the members of its configuration and to nobody else.
void RaftInvariants::check_peers(raft::MemberId member, const raft::RaftCore& core) {
  std::set<raft::MemberId> members = members_of(core.configuration());
  members.insert(member);
  const auto is_same = [](raft::MemberId id, const auto& item) { return id == item.first; };
  if (!std::equal(members.begin(), members.end(), core.progress().begin(), core.progress().end(),
                  is_same)) {
    violate(text(member) + " leads others than the members of its configuration");
  }
}

// Within a term there is one leader, which takes back nothing: what was acknowledged to it stays.
void RaftInvariants::check_promise(raft::MemberId member, const raft::RaftCore& core) {
  const Promise& promise = record_of(member).promise;
  if (promise.acknowledged_in == core.term().value() &&
      core.stable().value() < promise.acknowledged) {
    violate(text(member) + " acknowledged entry " + std::to_string(promise.acknowledged) +
            " in this term and has only " + std::to_string(core.stable().value()) +
            " on its disk now");
  }
}

// A leader counts what it was told in its term, and no more. Of the bounds that of messages holds
// always; one message may pass the bound of bytes, since what it weighs is known when it is sent.
void RaftInvariants::check_progress(raft::MemberId member, const raft::RaftCore& core) {
  for (const auto& [peer, progress] : core.progress()) {
    const Promise& promise = record_of(peer).promise;
    // What a peer told a leader that it has left since is not known any more.
    const bool has_left = promise.acknowledged_in > core.term().value();
    const bool has_told = promise.acknowledged_in == core.term().value();
    const uint64_t told = has_told ? promise.acknowledged : 0;
    if (peer != member && !has_left && progress.match().value() > told) {
      violate(text(member) + " believes that " + text(peer) + " holds entry " +
              std::to_string(progress.match().value()) + ", and was told " + std::to_string(told));
    }
    if (progress.inflights().messages() > limits_.max_inflight_messages) {
      violate(text(member) + " has more appends on their way to " + text(peer) + " than allowed");
    }
  }
}

RaftInvariants::Fingerprint RaftInvariants::fingerprint(const raft::RaftCore& core,
                                                        uint64_t index) {
  const raft::Entry& entry = core.log().at(raft::Index(index));
  Fingerprint result;
  result.term = entry.term.value();
  result.previous_term = core.log().term_at(raft::Index(index - 1)).value_or(raft::Term()).value();
  const uint64_t content = entry.data == nullptr ? 0 : hash_of(*entry.data);
  result.content = content * 31 + static_cast<uint64_t>(entry.kind);
  return result;
}

// What was compared before is not compared again.
void RaftInvariants::check_log(raft::MemberId member, Seen& seen, const raft::RaftCore& core) {
  const uint64_t base = core.log().base().value();
  const uint64_t last = core.log().last().value();
  while (!seen.terms.empty() && seen.base < base) {
    seen.terms.pop_front();
    ++seen.base;
  }
  if (seen.terms.empty()) {
    seen.base = base;
  }
  if (seen.base + seen.terms.size() > last) {
    seen.terms.resize(last < seen.base ? 0 : last - seen.base);
  }
  const uint64_t compared = seen.base + seen.terms.size();
  uint64_t first = last + 1;
  while (first > base + 1) {
    const uint64_t index = first - 1;
    const uint64_t term = core.log().at(raft::Index(index)).term.value();
    if (index <= compared && seen.terms[index - seen.base - 1] == term) {
      break;
    }
    first = index;
  }
  if (first <= compared) {
    seen.terms.resize(first - seen.base - 1);
  }
  for (uint64_t index = first; index <= last; ++index) {
    seen.terms.push_back(core.log().at(raft::Index(index)).term.value());
    check_entry(member, core, index);
  }
}

// Log matching: an index and a term name one entry, whose predecessor is one entry too.
void RaftInvariants::check_entry(raft::MemberId member, const raft::RaftCore& core,
                                 uint64_t index) {
  if (entries_.size() <= index) {
    entries_.resize(index + 1);
  }
  std::vector<Fingerprint>& known = entries_[index];
  const Fingerprint now = fingerprint(core, index);
  const auto found = std::find_if(known.begin(), known.end(), [&now](const Fingerprint& entry) {
    return entry.term == now.term;
  });
  if (found != known.end()) {
    if (*found != now) {
      violate("log matching: " + text(member) + " has another entry " + std::to_string(index) +
              " of term " + std::to_string(now.term));
    }
    return;
  }
  known.push_back(now);
  check_configuration(member, core, index);
}

void RaftInvariants::check_configuration(raft::MemberId member, const raft::RaftCore& core,
                                         uint64_t index) {
  if (core.log().at(raft::Index(index)).kind != raft::EntryKind::membership ||
      index <= core.log().base().value() + 1) {
    return;
  }
  const raft::ConfigHistory& history = core.log().configurations();
  const raft::Configuration& before = history.at(raft::Index(index - 1));
  if (before.members.empty()) {
    return;  // the first of all
  }
  if (!intersect(before, history.at(raft::Index(index)))) {
    violate(text(member) + ": quorums of the configuration at " + std::to_string(index) +
            " and the one before need not meet");
  }
  if (!core.is_leader()) {
    return;
  }
  // A leader that has committed nothing of its own yet may not know of a configuration that is
  // committed, whose quorums need not meet those of its next one (Ongaro 2015).
  if (core.log().term_at(core.committed()) != core.term()) {
    violate(text(member) + ": a leader changed the configuration at " + std::to_string(index) +
            " before it committed an entry of its own");
  }
  for (uint64_t at = core.committed().value() + 1; at < index; ++at) {
    if (core.log().at(raft::Index(at)).kind == raft::EntryKind::membership) {
      violate(text(member) + ": two configurations are not committed, at " + std::to_string(at) +
              " and " + std::to_string(index));
    }
  }
}

// State machine safety as far as the log goes: one entry per committed index, for ever.
void RaftInvariants::check_commit(raft::MemberId member, Seen& seen, uint64_t last_before,
                                  const raft::RaftCore& core) {
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
  const size_t known = committed_.size();
  for (uint64_t index = std::max(seen.commit, base) + 1; index <= commit; ++index) {
    const uint64_t term = core.log().at(raft::Index(index)).term.value();
    if (index > committed_.size()) {
      if (index != committed_.size() + 1) {
        violate(text(member) + ": committed past what anybody had committed");
        return;
      }
      committed_.push_back({term, core.term().value()});
    } else if (committed_[index - 1].term != term) {
      violate(text(member) + ": committed another entry at " + std::to_string(index));
    }
  }
  seen.commit = commit;
  seen.applied = applied;
  const bool is_first_look = last_before == 0;  // it knows from its disk
  if (committed_.size() > known && !is_first_look) {
    check_decision(member, last_before, core);
  }
}

// The first to know is the leader that decided: it counted an entry of its own term (Raft 5.4.2),
// and a quorum has it on disk.
void RaftInvariants::check_decision(raft::MemberId member, uint64_t last_before,
                                    const raft::RaftCore& core) {
  const uint64_t index = core.committed().value();
  const uint64_t term = core.log().at(core.committed()).term.value();
  if (term != core.term().value()) {
    violate(text(member) + " committed entry " + std::to_string(index) + " of term " +
            std::to_string(term) + " in term " + std::to_string(core.term().value()));
  }
  std::vector<raft::MemberId> holders;
  for (uint64_t id = 1; id < members_.size(); ++id) {
    if (holds_durably(members_[id].seen, index, term)) {
      holders.emplace_back(id);
    }
  }
  // The same event may have changed the configuration, before that or because of it.
  const raft::ConfigHistory& history = core.log().configurations();
  if (!has_quorum(history.latest(), holders) &&
      !has_quorum(history.at(std::max(raft::Index(last_before), core.log().base())), holders)) {
    violate(text(member) + " committed entry " + std::to_string(index) +
            ", which no quorum has on disk");
  }
}

// As of the last look; whoever is down has what was durable when it died.
bool RaftInvariants::holds_durably(const Seen& seen, uint64_t index, uint64_t term) {
  return index <= seen.stable && (index <= seen.base || seen.terms[index - seen.base - 1] == term);
}

void RaftInvariants::on_applied(raft::MemberId member, const raft::CommittedEntry& entry) {
  const std::pair<uint64_t, uint64_t> now(entry.term.value(), hash_of(*entry.data));
  const auto [found, is_new] = applied_.try_emplace(entry.index.value(), now);
  if (!is_new && found->second != now) {
    violate(text(member) + ": applied another entry at " + std::to_string(entry.index.value()));
  }
}

void RaftInvariants::on_state(raft::MemberId member, uint64_t index, uint64_t hash) {
  const auto [found, is_new] = states_.try_emplace(index, hash);
  if (!is_new && found->second != hash) {
    violate(text(member) + ": another state at index " + std::to_string(index));
  }
}

void RaftInvariants::on_vote_sent(raft::MemberId voter, raft::Term term, raft::MemberId candidate) {
  const auto [found, is_new] = votes_.try_emplace(std::pair(voter, term.value()), candidate);
  if (!is_new && found->second != candidate) {
    violate(text(voter) + " voted twice in term " + std::to_string(term.value()));
  }
  Promise& promise = record_of(voter).promise;
  if (term.value() > promise.term) {
    promise.term = term.value();
    promise.vote = candidate;
  }
}

void RaftInvariants::on_ack_sent(raft::MemberId member, const raft::RaftCore& core, raft::Term term,
                                 raft::Index index) {
  Promise& promise = record_of(member).promise;
  if (term.value() != promise.acknowledged_in) {
    promise.acknowledged = 0;
  }
  promise.acknowledged = std::max(promise.acknowledged, index.value());
  promise.acknowledged_in = term.value();
  if (index > core.stable()) {
    violate(text(member) + " acknowledged index " + std::to_string(index.value()) +
            " and has only " + std::to_string(core.stable().value()) + " on its disk");
  }
}

void RaftInvariants::on_death(raft::MemberId member, const raft::RaftCore& core) {
  Promise& promise = record_of(member).promise;
  promise.log = core.log();
  promise.durable = core.stable();
}

void RaftInvariants::on_return(raft::MemberId member, const raft::RaftCore& core) {
  const Promise& promise = record_of(member).promise;
  if (core.term().value() < promise.term ||
      (core.term().value() == promise.term && core.vote() != promise.vote)) {
    violate(text(member) + " forgot its vote of term " + std::to_string(promise.term));
  }
  const raft::RaftLog& log = core.log();
  if (!promise.log || log.base() >= promise.durable) {
    return;
  }
  // It may have had a leader's snapshot on disk and not known of it yet: what follows another entry
  // than the one the snapshot ends with was never committed, and goes.
  const std::optional<raft::Term> before = promise.log->term_at(log.base());
  const bool is_replaced = before && before != log.term_at(log.base());
  const std::optional<raft::Term> term = promise.log->term_at(promise.durable);
  if (!is_replaced && log.term_at(promise.durable) != term) {
    violate(text(member) + " came back with a log up to " + std::to_string(log.last().value()) +
            " that lacks its durable entry " + std::to_string(promise.durable.value()) +
            " of term " + std::to_string(term.value_or(raft::Term()).value()));
  }
}

}  // namespace swarm::test
