#include "mesh/routing.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace swarm::mesh {

namespace {

// A task that does not work at the target port yet that an update gave a published port is asked on
// the one it has, unless that is published still: there is something else.
const TargetAddress* find_address(const LocalTask& task, uint16_t target,
                                  const model::MeshService* service) {
  const auto found = std::find_if(task.addresses.begin(), task.addresses.end(),
                                  [target](const auto& a) { return a.target == target; });
  if (found != task.addresses.end()) return &*found;
  if (task.addresses.size() != 1) return nullptr;
  const TargetAddress& only = task.addresses.front();
  const bool is_published =
      service != nullptr &&
      std::any_of(service->ports.begin(), service->ports.end(),
                  [&](const auto& port) { return port.target == only.target; });
  return is_published ? nullptr : &only;
}

const model::Endpoint* find_endpoint(const model::MeshService& service, const model::TaskId& task) {
  const auto found = std::find_if(service.endpoints.begin(), service.endpoints.end(),
                                  [&](const auto& e) { return e.task == task; });
  return found == service.endpoints.end() ? nullptr : &*found;
}

int rank_of(const model::Endpoint* endpoint) {
  return endpoint != nullptr && endpoint->state == model::EndpointState::ready ? 0 : 1;
}

}  // namespace

Routing::Routing(model::NodeId self, Random random, Duration hold)
    : self_(std::move(self)), hold_(hold), random_(random) {}

bool Routing::set_table(model::MeshTable table) {
  if (table.position < table_.position) return false;
  table_ = std::move(table);
  service_index_.clear();
  for (size_t i = 0; i < table_.services.size(); ++i) {
    service_index_.emplace(table_.services[i].service, i);
  }
  for (auto& [task, failures] : failures_) {
    failures.avoided_until = TimePoint{};
  }
  return true;
}

bool Routing::is_removed(const model::NodeId& node) const {
  return std::binary_search(table_.removed_nodes.begin(), table_.removed_nodes.end(), node);
}

void Routing::admit(const LocalTask& task) {
  local_.insert_or_assign(task.task, Local{.task = task, .drain = std::nullopt});
  last_local_.erase(task.service);
  failures_.erase(task.task);
}

void Routing::retire(const model::TaskId& task, TimePoint now, Duration timeout) {
  const auto found = local_.find(task);
  if (found == local_.end()) return;
  Local& local = found->second;
  local.is_claimed = true;
  if (local.drain.has_value()) {
    local.drain->tell(now, timeout);
  } else {
    local.drain.emplace(now, timeout);
  }
}

TaskDrain::Change Routing::advance_drain(const model::TaskId& task, TimePoint now) {
  const auto found = local_.find(task);
  if (found == local_.end() || !found->second.drain.has_value()) return TaskDrain::Change::none;
  return found->second.drain->advance(now, connections(task), last_connection_);
}

TimePoint Routing::next_drain_change() const {
  TimePoint next = TimePoint::max();
  for (const auto& [id, local] : local_) {
    if (local.drain.has_value()) next = std::min(next, local.drain->next_change());
  }
  return next;
}

bool Routing::is_drained(const model::TaskId& task) const {
  const auto found = local_.find(task);
  const bool is_admitted = found != local_.end() && !found->second.drain.has_value();
  return !is_admitted && connections(task) == 0;
}

void Routing::forget(const model::TaskId& task, TimePoint now) {
  const auto found = local_.find(task);
  if (found == local_.end()) return;
  const model::ServiceId service = found->second.task.service;
  local_.erase(found);
  failures_.erase(task);
  const bool is_last = std::none_of(local_.begin(), local_.end(), [&](const auto& entry) {
    return entry.second.task.service == service;
  });
  if (is_last) last_local_[service] = now;
  std::erase_if(last_local_, [&](const auto& entry) { return entry.second + hold_ <= now; });
}

void Routing::begin_claims() {
  for (auto& [id, local] : local_) {
    local.is_claimed = false;
  }
}

std::vector<model::TaskId> Routing::retire_unclaimed(TimePoint now) {
  std::vector<model::TaskId> retired;
  for (auto& [id, local] : local_) {
    if (!local.is_claimed && !is_in_table(local)) {
      if (!local.drain.has_value()) local.drain.emplace(now, Duration{0});
      retired.push_back(id);
    }
  }
  return retired;
}

bool Routing::is_in_table(const Local& local) const {
  const model::MeshService* service = find_service(local.task.service);
  return service != nullptr && find_endpoint(*service, local.task.task) != nullptr;
}

Choice Routing::choose(const RouteKey& key, TimePoint now) {
  Choice choice;
  const model::MeshService* service = find_service(key.service);
  if (service == nullptr) {
    choice.kind = Choice::Kind::gone;
    return choice;
  }
  const auto drop_avoided = [&](const Candidate& candidate) {
    const bool is_dropped = is_avoided(candidate.route.task, now);
    if (is_dropped) {
      choice.retry_at = std::min(choice.retry_at, failures_.at(candidate.route.task).avoided_until);
    }
    return is_dropped;
  };
  std::vector<Candidate> all = candidates(*service, key);
  std::erase_if(all, drop_avoided);
  if (all.empty()) {
    all = last_resorts(*service, key);
    std::erase_if(all, drop_avoided);
  }
  if (all.empty()) return choice;

  const auto load = [this, now](const Candidate& c) {
    return std::tuple(is_doubtful(c.route.task, now), c.rank, connections(c.route.task));
  };
  const auto best = load(*std::min_element(
      all.begin(), all.end(), [&](const auto& a, const auto& b) { return load(a) < load(b); }));
  std::erase_if(all, [&](const Candidate& candidate) { return load(candidate) != best; });
  choice.kind = Choice::Kind::route;
  choice.route = std::move(all[random_.below(all.size())].route);
  return choice;
}

std::vector<Routing::Candidate> Routing::candidates(const model::MeshService& service,
                                                    const RouteKey& key) const {
  std::vector<Candidate> found;
  for (const auto& [id, local] : local_) {
    if (local.drain.has_value() || local.task.service != key.service) continue;
    if (const TargetAddress* address = find_address(local.task, key.target, &service)) {
      found.push_back({{id, true, address->address, self_}, rank_of(find_endpoint(service, id))});
    }
  }
  if (key.mode == model::PublishMode::host) return found;
  for (const model::Endpoint& endpoint : service.endpoints) {
    if (endpoint.node == self_) continue;  // admission alone decides
    found.push_back(
        {{endpoint.task, false, endpoint.mesh_address, endpoint.node}, rank_of(&endpoint)});
  }
  return found;
}

std::vector<Routing::Candidate> Routing::last_resorts(const model::MeshService& service,
                                                      const RouteKey& key) const {
  std::vector<Candidate> found;
  if (service.ports.empty()) return found;  // removed: nobody new is to be served
  for (const auto& [id, local] : local_) {
    if (!local.drain.has_value() || !local.drain->is_open() || local.task.service != key.service) {
      continue;
    }
    if (const TargetAddress* address = find_address(local.task, key.target, &service)) {
      found.push_back({{id, true, address->address, self_}, 1});
    }
  }
  return found;
}

bool Routing::is_avoided(const model::TaskId& task, TimePoint now) const {
  const auto failed = failures_.find(task);
  return failed != failures_.end() && failed->second.avoided_until > now;
}

// Another task that takes connections: one that is admitted here, or one of another node that the
// table calls ready.
bool Routing::has_endpoint_besides(const Local& local, TimePoint now) const {
  const bool has_local = std::any_of(local_.begin(), local_.end(), [&](const auto& entry) {
    return entry.second.task.service == local.task.service && !entry.second.drain.has_value() &&
           !is_avoided(entry.first, now);
  });
  const model::MeshService* service = find_service(local.task.service);
  return has_local ||
         (service != nullptr &&
          std::any_of(service->endpoints.begin(), service->endpoints.end(), [&](const auto& e) {
            return e.node != self_ && e.state == model::EndpointState::ready &&
                   !is_avoided(e.task, now);
          }));
}

Result<std::string> Routing::address_of(const model::TaskId& task, uint16_t target,
                                        TimePoint now) const {
  const auto found = local_.find(task);
  if (found == local_.end()) return absl::NotFoundError("the task is not admitted on this node");
  const Local& local = found->second;
  const bool is_last_resort =
      local.drain.has_value() && local.drain->is_open() && !has_endpoint_besides(local, now);
  if (local.drain.has_value() && !is_last_resort) {
    return absl::FailedPreconditionError("the task is draining");
  }
  const TargetAddress* address = find_address(local.task, target, find_service(local.task.service));
  if (address == nullptr) {
    return absl::NotFoundError("the task has no target port " + std::to_string(target));
  }
  return address->address;
}

uint64_t Routing::connection_opened(const model::TaskId& task) {
  ++connections_[task];
  return ++last_connection_;
}

void Routing::connection_closed(const model::TaskId& task, uint64_t number) {
  const auto local = local_.find(task);
  if (local != local_.end() && local->second.drain.has_value()) {
    local->second.drain->connection_closed(number);
  }
  const auto found = connections_.find(task);
  SWARM_CHECK(found != connections_.end(),
              "a connection of task " + task.value() + " was closed that was not counted");
  if (--found->second == 0) connections_.erase(found);
}

size_t Routing::connections(const model::TaskId& task) const {
  const auto found = connections_.find(task);
  return found == connections_.end() ? 0 : found->second;
}

void Routing::avoid(const model::TaskId& task, TimePoint now) {
  std::erase_if(failures_, [now](const auto& entry) {
    return entry.second.last + kDoubtAfterFailures <= now;
  });
  Failures& failures = failures_[task];
  ++failures.in_a_row;
  failures.last = now;
  failures.avoided_until = now + kAvoidAfterFailure;
}

bool Routing::is_doubtful(const model::TaskId& task, TimePoint now) const {
  const auto found = failures_.find(task);
  return found != failures_.end() && found->second.in_a_row >= kFailuresToDoubt &&
         found->second.last + kDoubtAfterFailures > now;
}

const model::MeshService* Routing::find_service(const model::ServiceId& service) const {
  const auto found = service_index_.find(service);
  return found == service_index_.end() ? nullptr : &table_.services[found->second];
}

bool Routing::serves_host(const model::ServiceId& service, TimePoint now) const {
  const bool has_task = std::any_of(local_.begin(), local_.end(), [&](const auto& entry) {
    return entry.second.task.service == service;
  });
  const auto last = last_local_.find(service);
  return has_task || (last != last_local_.end() && now < last->second + hold_);
}

PortPlan Routing::plan(const std::map<uint16_t, OpenPort>& current, TimePoint now) const {
  return plan_ports(
      table_, [this, now](const auto& service) { return serves_host(service, now); }, current);
}

TimePoint Routing::next_plan_change(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const auto& [service, left] : last_local_) {
    if (left + hold_ > now) next = std::min(next, left + hold_);
  }
  return next;
}

}  // namespace swarm::mesh
