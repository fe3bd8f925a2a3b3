#include "state/request_memory.h"

namespace swarm::state {

void RequestMemory::note(uint64_t request, model::Position position) {
  if (request == 0) {
    return;
  }
  if (carried_.size() >= capacity_) {
    known_since_ = carried_.front().position;
    position_of_.erase(carried_.front().request);
    carried_.pop_front();
  }
  carried_.push_back({request, position});
  position_of_.insert_or_assign(request, position);
}

void RequestMemory::undo_after(model::Position position) {
  while (!carried_.empty() && carried_.back().position > position) {
    position_of_.erase(carried_.back().request);
    carried_.pop_back();
  }
}

void RequestMemory::restart(model::Position position) {
  carried_.clear();
  position_of_.clear();
  known_since_ = position;
}

Result<std::optional<model::Position>> RequestMemory::find(const model::RequestId& request) const {
  if (request.number == 0) {
    return std::nullopt;
  }
  if (const auto found = position_of_.find(request.number); found != position_of_.end()) {
    return found->second;
  }
  if (request.repeated_since.has_value() && *request.repeated_since < known_since_) {
    return absl::AbortedError(
        "whether the change was made before the leader went away is not known any more: look, then "
        "try again");
  }
  return std::nullopt;
}

}  // namespace swarm::state
