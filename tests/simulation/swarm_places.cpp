// Where tasks are, once faults are over: updates must not make it worse.

#include <algorithm>
#include <optional>
#include <utility>

#include "control/services.h"
#include "swarm_simulation.h"

namespace swarm::test {

namespace {

// Slots that have one task, by service and number, and the nodes of those.
using Places = std::map<std::pair<std::string, model::Slot>, model::NodeId>;

Places places_in(const state::View& view) {
  Places places;
  std::set<Places::key_type> crowded;
  for (const auto& [id, task] : view.tasks()) {
    if (task->desired > model::TaskState::running || task->node.is_empty()) {
      continue;
    }
    const Places::key_type slot{view.service(task->service)->settings.name, task->slot};
    if (!places.emplace(slot, task->node).second) {
      crowded.insert(slot);
    }
  }
  for (const Places::key_type& slot : crowded) {
    places.erase(slot);
  }
  return places;
}

// How many slots the nodes have that take tasks, or what is wrong with that.
std::optional<std::string> uneven_spread(const state::View& view, const Places& places,
                                         const std::string& service) {
  std::map<model::NodeId, size_t> counts;
  for (const auto& [id, node] : view.nodes()) {
    if (node->status.state == model::NodeState::ready) {
      counts[id] = 0;
    }
  }
  for (const auto& [slot, node] : places) {
    if (slot.first == service) {
      ++counts[node];
    }
  }
  const auto [least, most] =
      std::minmax_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
  if (counts.empty() || most->second - least->second <= 1) {
    return std::nullopt;
  }
  return service + " has " + std::to_string(most->second) + " slots on " + most->first.value() +
         " and " + std::to_string(least->second) + " on " + least->first.value();
}

api::Gateway::Write forced_update_of(const std::string& name) {
  return [name](const state::View& view, WallTime now, Random& random) -> Result<state::ChangeSet> {
    const state::ServicePtr service = view.service_by_name(name);
    if (service == nullptr) {
      return absl::NotFoundError("no service " + name);
    }
    model::ServiceSpec spec{service->settings, view.template_of(*service)};
    ++spec.task.force_update;
    return control::update_service({view, now, random}, service->id, service->meta.version, spec);
  };
}

}  // namespace

// False at a violation.
bool SwarmSimulation::update_all() {
  const ManagerMachines::Machine* const leader = managers_.leader();
  std::vector<std::string> names;
  for (const auto& [id, service] : leader->manager->store().view().services()) {
    names.push_back(service->settings.name);
  }
  for (const std::string& name : names) {
    auto answer = std::make_shared<std::optional<Status>>();
    leader->gateway->write(forced_update_of(name),
                           [answer](Status status) { *answer = std::move(status); });
    const TimePoint end = world_.now() + seconds(30);
    while (!answer->has_value() && world_.now() < end) {
      if (!step_until(world_.now() + milliseconds(10))) {
        return false;
      }
    }
    if (!answer->has_value() || !(*answer)->ok()) {
      invariants_.violate("without faults, an update of " + name + " is refused: " +
                          (answer->has_value() ? (*answer)->ToString() : "no answer"));
      return false;
    }
  }
  return come_to_rest();
}

// An update of everything spreads each service as placing its tasks anew would, but leaves those
// that are tied to their nodes; one more moves nothing.
void SwarmSimulation::check_places() {
  const auto places = [this] { return places_in(managers_.leader()->manager->store().view()); };
  const Places before = places();
  if (!update_all()) {
    return;
  }
  const Places once = places();
  for (const std::string& service : services_) {
    const auto uneven = uneven_spread(managers_.leader()->manager->store().view(), once, service);
    if (uneven && !SwarmInvariants::is_tied_to_nodes(service)) {
      invariants_.violate("an update leaves an uneven spread: " + *uneven);
    }
  }
  for (const auto& [slot, node] : before) {
    const auto now = once.find(slot);
    if (SwarmInvariants::is_tied_to_nodes(slot.first) &&
        (now == once.end() || now->second != node)) {
      invariants_.violate("an update moves " + slot.first + "." + std::to_string(slot.second) +
                          " off its node");
    }
  }
  if (update_all() && places() != once) {
    invariants_.violate("an update moves tasks that are spread evenly");
  }
}

}  // namespace swarm::test
