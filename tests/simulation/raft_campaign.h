#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "raft_states.h"

namespace swarm::test {

// Many seeds, in processes of their own, so that a broken check of the library (which ends its
// process) and an endless loop are findings like any other.
struct CampaignOptions {
  uint64_t first = 1;
  uint64_t last = 1;
  int jobs = 1;
  bool twice = false;  // each seed must go the same way again
  bool shows_progress = false;
};

struct CampaignFailure {
  uint64_t seed = 0;
  std::string reason;
};

struct CampaignResult {
  uint64_t seeds = 0;
  uint64_t idle = 0;  // seeds that wrote next to nothing prove next to nothing
  uint64_t lost = 0;  // seeds that destroyed too many disks for anybody to go on
  uint64_t events = 0;
  uint64_t acknowledged = 0;
  uint64_t elections = 0;
  uint64_t crashes = 0;
  double simulated_seconds = 0;
  double cpu_seconds = 0;
  // Of the seeds whose groups begin with three to five members.
  double usual_simulated_seconds = 0;
  double usual_cpu_seconds = 0;
  std::array<uint64_t, kStates> states{};  // in how many seeds
  std::optional<CampaignFailure> failure;  // of the lowest seed that failed
};

// Stops at the first failure; which one is first does not depend on the number of jobs.
CampaignResult run_campaign(const CampaignOptions& options);

// What a seed printed last, in a process of its own with its trace on.
std::string last_events(uint64_t seed, size_t lines);

}  // namespace swarm::test
