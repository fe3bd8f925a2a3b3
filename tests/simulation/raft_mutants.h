#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace swarm::test {

// One mistake that raft can be compiled with (raft/core/mutants.h), and how soon it must be found.
struct MutantRecord {
  std::string_view name;
  std::string_view mistake;
  uint64_t seeds;  // it is found within so many, from 1 on
};

// Empty in a build without SWARM_MUTANTS.
std::span<const MutantRecord> mutants();

// From now on raft makes this mistake. False when there is none of this name.
bool choose_mutant(std::string_view name);

}  // namespace swarm::test
