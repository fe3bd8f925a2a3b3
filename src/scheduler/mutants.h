#pragma once

// Mistakes that the simulation of swarms must find, as raft/core/mutants.h has them for Raft: it
// compiles a copy of the scheduler with SWARM_SCHEDULER_MUTANTS defined. Everywhere else
// SWARM_SCHEDULER_MUTANT(name) is `false` and leaves nothing behind.
#ifdef SWARM_SCHEDULER_MUTANTS

#include <cstdint>

namespace swarm::scheduler {

enum class Mutant : uint8_t {
  none,
  predecessor_counts,  // the old task of the slot is counted beside the new one
  home_has_no_say,     // ties go to the lowest id, ports and data to any node
};

// One at a time, chosen before anything runs.
inline Mutant chosen_mutant = Mutant::none;

}  // namespace swarm::scheduler

#define SWARM_SCHEDULER_MUTANT(name) \
  (::swarm::scheduler::chosen_mutant == ::swarm::scheduler::Mutant::name)
#else
#define SWARM_SCHEDULER_MUTANT(name) false
#endif
