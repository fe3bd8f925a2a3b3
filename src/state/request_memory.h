#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "base/result.h"
#include "model/change_set.h"

namespace swarm::state {

// Which of the latest transactions carried out whose request: every manager reads it off the log as
// it applies it, so that a new leader can tell a request that comes once more, because the old
// leader's answer was lost, from a new one. Bounded; what was before a snapshot is not known.
class RequestMemory {
 public:
  explicit RequestMemory(size_t capacity = kCapacity) : capacity_(capacity) {}

  // Positions rise. Request 0 is nobody's.
  void note(uint64_t request, model::Position position);
  // The transactions after `position` were undone.
  void undo_after(model::Position position);
  // The state came as a snapshot of `position`.
  void restart(model::Position position);

  // As Store::find_request.
  Result<std::optional<model::Position>> find(const model::RequestId& request) const;

 private:
  // People and scripts write; 64 KiB of their latest requests outlast any election.
  static constexpr size_t kCapacity = 4096;

  struct Carried {
    uint64_t request = 0;
    model::Position position = 0;
  };
  const size_t capacity_;
  std::deque<Carried> carried_;  // oldest first
  // The same by request: every write of every client is looked up.
  absl::flat_hash_map<uint64_t, model::Position> position_of_;
  model::Position known_since_ = 0;  // everything after this position is in `carried_`
};

}  // namespace swarm::state
