#include "manager/swarm_clock.h"

#include <algorithm>
#include <variant>

namespace swarm::manager {
namespace {

WallTime stamp_of(const state::ChangeSet::Object& object) {
  return std::visit(
      [](const auto& stored) { return stored == nullptr ? WallTime{} : stored->meta.updated_at; },
      object);
}

}  // namespace

void SwarmClock::follow(WallTime stamp, TimePoint now) {
  // An entry may come late, never early: of all estimates the latest is the best.
  const WallTime epoch = stamp - now.time_since_epoch();
  epoch_ = has_followed_ ? std::max(epoch_, epoch) : epoch;
  has_followed_ = true;
}

void SwarmClock::begin_to_lead(TimePoint now, WallTime own, WallTime latest) {
  const WallTime estimate = has_followed_ ? epoch_ + now.time_since_epoch() : own;
  epoch_ = std::max(estimate, latest) - now.time_since_epoch();
  has_followed_ = true;
  is_leading_ = true;
}

WallTime SwarmClock::at(TimePoint now, WallTime own) const {
  return is_leading_ ? epoch_ + now.time_since_epoch() : own;
}

WallTime latest_time(const std::vector<state::Change>& changes) {
  WallTime latest;
  for (const state::Change& change : changes) {
    latest = std::max(latest, stamp_of(change.after));
  }
  return latest;
}

WallTime latest_time(const state::View& view) {
  WallTime latest = view.cluster() == nullptr ? WallTime{} : view.cluster()->meta.updated_at;
  const auto look_at = [&latest](const auto& table) {
    for (const auto& [id, object] : table) {
      latest = std::max(latest, object->meta.updated_at);
    }
  };
  look_at(view.nodes());
  look_at(view.services());
  look_at(view.tasks());
  return latest;
}

}  // namespace swarm::manager
