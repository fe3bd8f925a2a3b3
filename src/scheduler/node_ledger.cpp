#include "scheduler/node_ledger.h"

#include <algorithm>
#include <tuple>

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

bool is_wanted(const model::Task& task) {
  return task.desired <= model::TaskState::running;
}

bool is_newer(const model::Task& a, const model::Task& b) {
  return std::tie(a.meta.created_at, a.id) > std::tie(b.meta.created_at, b.id);
}

bool has_ended_a_run(const model::Task& task) {
  return !task.node.is_empty() && model::is_terminal(task.status.state) &&
         is_set(task.status.running_since);
}

void lower(uint32_t& count) {
  SWARM_CHECK(count > 0, "a booking that was never entered");
  --count;
}

}  // namespace

SlotCounts NodeAccount::of_service(const model::ServiceId& service) const {
  const auto found = slots_of.find(service);
  return found == slots_of.end() ? SlotCounts{} : found->second;
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
  slots_.clear();
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
    return;
  }
  SlotBooks* const books = find_slot(before->service, before->slot);
  if (!books) {
    return;
  }
  post(*books, Entry::out);
  std::erase_if(books->bookings,
                [&](const Booking& booking) { return booking.task->id == before->id; });
  if (books->last_run && books->last_run->id == before->id) {
    books->last_run = nullptr;
  }
  post(*books, Entry::in);
  drop_if_empty(before->service, before->slot);
}

void NodeLedger::book(const state::View& view, const state::TaskPtr& task) {
  const bool is_of_interest = occupies(*task) || has_ended_a_run(*task);
  SlotBooks* const found = find_slot(task->service, task->slot);
  if (!found && !is_of_interest) {
    return;
  }
  SlotBooks& books = found ? *found : slots_[task->service][task->slot];
  for (Booking& booking : books.bookings) {
    if (booking.task->id == task->id && occupies(*task) && booking.task->node == task->node &&
        is_wanted(*booking.task) == is_wanted(*task) && booking.needs->revision == task->revision) {
      booking.task = task;  // the accounts stay as they are
      return;
    }
  }
  post(books, Entry::out);
  set_booking(view, task, books);
  post(books, Entry::in);
  drop_if_empty(task->service, task->slot);
}

void NodeLedger::set_booking(const state::View& view, const state::TaskPtr& task,
                             SlotBooks& books) {
  std::erase_if(books.bookings,
                [&](const Booking& booking) { return booking.task->id == task->id; });
  if (occupies(*task)) {
    Booking booking{task, needs(view, {task->service, task->revision})};
    SWARM_CHECK(booking.needs, "the revision of a task that has not ended is stored");
    books.bookings.push_back(std::move(booking));
  } else if (has_ended_a_run(*task) && (!books.last_run || !is_newer(*books.last_run, *task))) {
    books.last_run = task;
  }
}

void NodeLedger::keep_place(const model::ServiceId& service, model::Slot slot, bool is_kept) {
  if (SlotBooks* const books = find_slot(service, slot); books && books->keeps_place != is_kept) {
    post(*books, Entry::out);
    books->keeps_place = is_kept;
    post(*books, Entry::in);
  }
}

void NodeLedger::lift(const model::ServiceId& service, model::Slot slot) {
  if (SlotBooks* const books = find_slot(service, slot)) {
    post(*books, Entry::out);
    books->is_lifted = true;
  }
}

void NodeLedger::restore(const model::ServiceId& service, model::Slot slot) {
  if (SlotBooks* const books = find_slot(service, slot); books && books->is_lifted) {
    books->is_lifted = false;
    post(*books, Entry::in);
  }
}

std::vector<state::TaskPtr> NodeLedger::predecessors(const model::ServiceId& service,
                                                     model::Slot slot) const {
  std::vector<state::TaskPtr> found;
  const auto of_service = slots_.find(service);
  if (of_service == slots_.end()) {
    return found;
  }
  const auto books = of_service->second.find(slot);
  if (books == of_service->second.end()) {
    return found;
  }
  for (const Booking& booking : books->second.bookings) {
    found.push_back(booking.task);
  }
  if (found.empty() && books->second.last_run) {
    found.push_back(books->second.last_run);
  }
  const auto is_running = [](const model::Task& task) {
    return task.status.state == model::TaskState::running;
  };
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    if (is_wanted(*a) != is_wanted(*b)) {
      return is_wanted(*a);
    }
    if (is_running(*a) != is_running(*b)) {
      return is_running(*a);
    }
    return is_newer(*a, *b);
  });
  return found;
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

void NodeLedger::post(const SlotBooks& books, Entry entry) {
  if (books.is_lifted) {
    return;
  }
  const Booking* newest = nullptr;
  for (const Booking& booking : books.bookings) {
    if ((is_wanted(*booking.task) || books.keeps_place) &&
        (!newest || is_newer(*booking.task, *newest->task))) {
      newest = &booking;
    }
  }
  for (auto booking = books.bookings.begin(); booking != books.bookings.end(); ++booking) {
    const auto is_on_same_node = [&](const Booking& other) {
      return other.task->node == booking->task->node;
    };
    const bool is_first = std::none_of(books.bookings.begin(), booking, is_on_same_node);
    Share share;
    share.is_newest = newest == &*booking;
    if (is_first) {
      for (const Booking& other : books.bookings) {
        if (is_on_same_node(other)) {
          const model::Resources& asked = other.needs->reservations;
          share.reserved.nano_cpus = std::max(share.reserved.nano_cpus, asked.nano_cpus);
          share.reserved.memory_bytes = std::max(share.reserved.memory_bytes, asked.memory_bytes);
          share.is_occupying = share.is_occupying || is_wanted(*other.task);
        }
      }
    }
    post_booking(*booking, share, entry);
  }
}

void NodeLedger::post_booking(const Booking& booking, const Share& share, Entry entry) {
  const auto found = nodes_.find(booking.task->node);
  SWARM_CHECK(entry == Entry::in || found != nodes_.end(),
              "an account lives as long as its bookings");
  NodeAccount& account = found != nodes_.end() ? found->second : nodes_[booking.task->node];
  const model::ServiceId& service = booking.task->service;
  const bool is_in = entry == Entry::in;
  const int64_t sign = is_in ? 1 : -1;
  account.reserved.nano_cpus += sign * share.reserved.nano_cpus;
  account.reserved.memory_bytes += sign * share.reserved.memory_bytes;
  const auto count = [is_in](uint32_t& counter) { is_in ? void(++counter) : lower(counter); };
  for (const HostPort& port : booking.needs->host_ports) {
    auto& services = account.host_ports[port];
    count(services[service]);
    if (services[service] == 0) {
      services.erase(service);
    }
    if (services.empty()) {
      account.host_ports.erase(port);
    }
  }
  SlotCounts& slots = account.slots_of[service];
  if (share.is_occupying) {
    count(slots.occupied);
  }
  if (share.is_newest) {
    count(slots.active);
    count(account.active);
  }
  if (slots == SlotCounts{}) {
    account.slots_of.erase(service);
  }
  count(account.bookings);
  if (account.bookings == 0 && !account.node) {
    nodes_.erase(found);
  }
}

NodeLedger::SlotBooks* NodeLedger::find_slot(const model::ServiceId& service, model::Slot slot) {
  const auto of_service = slots_.find(service);
  if (of_service == slots_.end()) {
    return nullptr;
  }
  const auto books = of_service->second.find(slot);
  return books == of_service->second.end() ? nullptr : &books->second;
}

void NodeLedger::drop_if_empty(const model::ServiceId& service, model::Slot slot) {
  const auto of_service = slots_.find(service);
  const auto books = of_service->second.find(slot);
  if (books->second.is_empty()) {
    of_service->second.erase(books);
    if (of_service->second.empty()) {
      slots_.erase(of_service);
    }
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
