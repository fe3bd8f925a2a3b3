#pragma once

#include <string>

#include "raft/core/raft_core.h"

namespace swarm::raft::test {

// How transcripts write what they show.
std::string text_of(const Message& message);
std::string text_of(Index index, Term term);
std::string text_of(Index index);
std::string text_of(MemberId id);
const char* text_of(Role role);
const char* text_of(ProposalOutcome outcome);

}  // namespace swarm::raft::test
