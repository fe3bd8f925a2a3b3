#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"

namespace swarm {

// How often a fault that goes on is told again, with the number of times it came.
inline constexpr Duration kFaultReminder = minutes(5);

// Keeps a fault that repeats from filling the log: the first is told at once, the same again only
// now and then with its count, its end once. Says what to log; the caller does.
class FaultCounter {
 public:
  // How often `error` came since it was told last; 0: say nothing now.
  uint64_t failed(const std::string& error, TimePoint now);
  // It works again. How often it had failed; 0: it had not.
  uint64_t recovered();

 private:
  struct Fault {
    TimePoint told_at;
    uint64_t untold = 0;
  };
  // Different texts kept apart; beyond that the memory starts anew, and each is told once more.
  static constexpr size_t kMaxFaults = 64;

  std::map<std::string, Fault> faults_;
  uint64_t total_ = 0;
};

}  // namespace swarm
