#include "raft/core/quorum_watch.h"

#include <map>

namespace swarm::raft {

namespace {

bool is_quorum(const std::set<MemberId>& members, const Quorum& quorum) {
  std::map<MemberId, bool> answers;
  for (const MemberId voter : quorum.voters()) {
    answers[voter] = members.contains(voter);
  }
  return quorum.tally(answers) == VoteResult::won;
}

}  // namespace

void QuorumWatch::begin(uint64_t now, MemberId self) {
  heard_ = {self};
  asked_at_ = now;
  is_asking_ = true;
}

void QuorumWatch::heard_from(MemberId member, const Quorum& quorum) {
  if (!is_asking_ && missing_.empty()) {
    return;
  }
  heard_.insert(member);
  if (!missing_.empty() && is_quorum(heard_, quorum)) {
    missing_.clear();
  }
}

void QuorumWatch::tick(uint64_t now, const Quorum& quorum) {
  if (!is_asking_ || now - asked_at_ < kPatience) {
    return;
  }
  is_asking_ = false;
  missing_.clear();
  if (!is_quorum(heard_, quorum)) {
    lose(heard_, quorum);
  }
}

void QuorumWatch::lose(const std::set<MemberId>& reached, const Quorum& quorum) {
  missing_.clear();
  for (const MemberId voter : quorum.voters()) {
    if (!reached.contains(voter)) {
      missing_.push_back(voter);
    }
  }
}

}  // namespace swarm::raft
