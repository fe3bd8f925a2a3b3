#include "scheduler/node_ledger.h"

#include <algorithm>

#include "base/check.h"

namespace swarm::scheduler {
namespace {

// More than the threshold adds order among bad nodes, but there must be a bound.
constexpr size_t kMaxFailuresKept = 20;

bool has_failed(const model::Task& task) {
  return task.status.state == model::TaskState::failed ||
         task.status.state == model::TaskState::rejected;
}

bool occupies(const model::Task& task) {
  return !task.node.is_empty() && !model::is_terminal(task.status.state);
}

// Counters that reach zero leave the map, so that it holds what is there and no history.
template <class Map, class Key>
void lower(Map& counts, const Key& key) {
  const auto found = counts.find(key);
  SWARM_CHECK(found != counts.end() && found->second > 0, "a booking that was never entered");
  if (--found->second == 0) {
    counts.erase(found);
  }
}

}  // namespace

uint32_t NodeAccount::active_of_service(const model::ServiceId& service) const {
  const auto found = active_of.find(service);
  return found == active_of.end() ? 0 : found->second;
}

size_t NodeAccount::counted_failures(const state::RevisionKey& revision, WallTime now) const {
  const auto found = failures.find(revision);
  if (found == failures.end()) {
    return 0;
  }
  const size_t recent =
      static_cast<size_t>(std::count_if(found->second.begin(), found->second.end(),
                                        [&](WallTime at) { return at + kFailureWindow > now; }));
  return recent >= kFailureThreshold ? recent : 0;
}

void NodeLedger::load(const state::View& view) {
  nodes_.clear();
  bookings_.clear();
  needs_.clear();
  for (const auto& [id, node] : view.nodes()) {
    nodes_[id].node = node;
  }
  for (const auto& [id, task] : view.tasks()) {
    task_changed(view, nullptr, task);
  }
}

void NodeLedger::node_changed(const state::NodePtr& before, const state::NodePtr& after) {
  if (after) {
    nodes_[after->id].node = after;
  } else if (const auto found = nodes_.find(before->id); found != nodes_.end()) {
    // Tasks may be booked on it still; without a node the account is no candidate.
    found->second.node = nullptr;
    if (found->second.bookings == 0) {
      nodes_.erase(found);
    }
  }
}

void NodeLedger::task_changed(const state::View& view, const state::TaskPtr& before,
                              const state::TaskPtr& after) {
  if (after) {
    book(view, after);
    if (has_failed(*after) && (!before || !has_failed(*before))) {
      note_failure(*after);
    }
  } else if (const auto found = bookings_.find(before->id); found != bookings_.end()) {
    take_out(found->second);
    bookings_.erase(found);
  }
}

void NodeLedger::book(const state::View& view, const state::TaskPtr& task) {
  const auto found = bookings_.find(task->id);
  if (!occupies(*task)) {
    if (found != bookings_.end()) {
      take_out(found->second);
      bookings_.erase(found);
    }
    return;
  }
  const bool is_active = task->desired <= model::TaskState::running;
  if (found != bookings_.end()) {
    if (found->second.is_active == is_active && found->second.node == task->node &&
        found->second.needs->revision == task->revision) {
      return;
    }
    take_out(found->second);
    bookings_.erase(found);
  }
  Booking booking{task->node, needs(view, {task->service, task->revision}), is_active};
  SWARM_CHECK(booking.needs, "the revision of a task that has not ended is stored");
  enter(booking);
  bookings_.emplace(task->id, std::move(booking));
}

std::shared_ptr<const Needs> NodeLedger::needs(const state::View& view,
                                               const state::RevisionKey& key) {
  const auto found = needs_.find(key);
  if (found != needs_.end()) {
    return found->second;
  }
  const state::RevisionPtr revision = view.revision(key.service, key.number);
  if (!revision) {
    return nullptr;
  }
  auto parsed = std::make_shared<const Needs>(parse_needs(key.service, key.number, revision->task));
  needs_.emplace(key, parsed);
  return parsed;
}

void NodeLedger::forget_revision(const state::RevisionKey& key) {
  needs_.erase(key);
}

void NodeLedger::forget_service(const model::ServiceId& service) {
  needs_.erase(needs_.lower_bound({service, 0}), needs_.upper_bound({service, UINT64_MAX}));
  for (auto& [id, account] : nodes_) {
    account.failures.erase(account.failures.lower_bound({service, 0}),
                           account.failures.upper_bound({service, UINT64_MAX}));
  }
}

model::Resources NodeLedger::free_on(const NodeAccount& account) {
  const model::Resources& total = account.node->description.resources;
  return {total.nano_cpus - account.reserved.nano_cpus,
          total.memory_bytes - account.reserved.memory_bytes};
}

void NodeLedger::enter(const Booking& booking) {
  NodeAccount& account = nodes_[booking.node];
  ++account.bookings;
  account.reserved.nano_cpus += booking.needs->reservations.nano_cpus;
  account.reserved.memory_bytes += booking.needs->reservations.memory_bytes;
  for (const HostPort& port : booking.needs->host_ports) {
    ++account.host_ports[port][booking.needs->service];
  }
  if (booking.is_active) {
    ++account.active;
    ++account.active_of[booking.needs->service];
  }
}

void NodeLedger::take_out(const Booking& booking) {
  const auto found = nodes_.find(booking.node);
  SWARM_CHECK(found != nodes_.end(), "an account lives as long as its bookings");
  NodeAccount& account = found->second;
  account.reserved.nano_cpus -= booking.needs->reservations.nano_cpus;
  account.reserved.memory_bytes -= booking.needs->reservations.memory_bytes;
  for (const HostPort& port : booking.needs->host_ports) {
    auto& services = account.host_ports[port];
    lower(services, booking.needs->service);
    if (services.empty()) {
      account.host_ports.erase(port);
    }
  }
  if (booking.is_active) {
    --account.active;
    lower(account.active_of, booking.needs->service);
  }
  if (--account.bookings == 0 && !account.node) {
    nodes_.erase(found);
  }
}

void NodeLedger::note_failure(const model::Task& task) {
  const auto found = nodes_.find(task.node);
  if (found == nodes_.end()) {
    return;
  }
  std::deque<WallTime>& failures = found->second.failures[{task.service, task.revision}];
  // On load they come in the order of ids.
  failures.insert(std::upper_bound(failures.begin(), failures.end(), task.status.at),
                  task.status.at);
  if (failures.size() > kMaxFailuresKept) {
    failures.pop_front();
  }
}

}  // namespace swarm::scheduler
