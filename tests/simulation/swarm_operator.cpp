// The operators of the simulation: valid commands, given to whoever seems to lead.

#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "control/services.h"
#include "swarm_simulation.h"

namespace swarm::test {

namespace {

constexpr size_t kMaxServices = 4;

using Order = std::optional<model::UpdateOrder>;

model::UpdatePolicy random_policy(Random& random, Order order) {
  model::UpdatePolicy policy;
  policy.parallelism = random.below(3);
  policy.delay = milliseconds(random.below(500));
  policy.monitor = milliseconds(200 + random.below(1'500));
  policy.failure_action = static_cast<model::FailureAction>(random.below(3));
  policy.max_failure_ratio = random.chance(0.5) ? 0 : random.unit();
  policy.order = order;
  policy.progress_deadline = seconds(5 + random.below(20));
  return policy;
}

Order order_of(Random& random, const std::string& name) {
  if (name.starts_with(SwarmInvariants::kStopFirst)) {
    return model::UpdateOrder::stop_first;
  }
  const bool is_open = name.starts_with(SwarmInvariants::kData) || random.chance(0.5);
  return is_open ? Order() : model::UpdateOrder::start_first;
}

model::ServiceSpec random_spec(Random& random, const std::string& name, uint16_t port) {
  model::ServiceSpec spec;
  spec.name = name;
  spec.replicas = 1 + random.below(4);
  spec.task.container.image = "app:1";
  spec.task.container.stop_grace_period = seconds(1 + random.below(4));
  spec.task.restart.edit().delay = milliseconds(100 + random.below(2'000));
  spec.task.drain_timeout = seconds(1);
  if (name.starts_with(SwarmInvariants::kData)) {
    spec.task.container.mounts = {
        {.type = model::MountType::volume, .source = name, .target = "/data"}};
  } else if (name.starts_with(SwarmInvariants::kHostPort)) {
    spec.task.ports = {{80, port, model::PortProtocol::tcp, model::PublishMode::host}};
  }
  const Order order = order_of(random, name);
  spec.update = random_policy(random, order);
  spec.rollback = random_policy(random, order);
  return spec;
}

// Leaves the number of the operation on the service that it changes.
void mark(state::ChangeSet& changes, uint64_t operation) {
  for (auto& object : changes.puts) {
    if (const auto* const service = std::get_if<state::ServicePtr>(&object)) {
      model::Service marked = **service;
      marked.settings.labels[SwarmInvariants::operation_label(operation)] = "";
      object = std::make_shared<const model::Service>(std::move(marked));
    }
  }
}

using Change = std::function<Result<state::ChangeSet>(const control::Context&,
                                                      const state::ServicePtr& service)>;

Change random_change(Random& random) {
  const uint64_t kind = random.below(10);
  if (kind < 5) {
    const std::string image = "app:" + std::to_string(1 + random.below(6));
    return [image](const control::Context& context, const state::ServicePtr& service) {
      model::ServiceSpec spec{service->settings, context.view.template_of(*service)};
      spec.task.container.image = image;
      return control::update_service(context, service->id, service->meta.version, spec);
    };
  }
  if (kind < 7) {
    return [](const control::Context& context, const state::ServicePtr& service) {
      return control::rollback_service(context, service->id.value(), std::nullopt);
    };
  }
  if (kind == 7) {
    const auto target = static_cast<uint16_t>(80 + random.below(3));
    return [target](const control::Context& context, const state::ServicePtr& service) {
      model::ServiceSpec spec{service->settings, context.view.template_of(*service)};
      for (model::PublishedPort& port : spec.task.ports) {
        port.target = target;
      }
      return control::update_service(context, service->id, service->meta.version, spec);
    };
  }
  return [replicas = random.below(6)](const control::Context& context,
                                      const state::ServicePtr& service) {
    return control::scale_service(context, service->id.value(), replicas);
  };
}

}  // namespace

void SwarmSimulation::operate() {
  if (random_.chance(0.4)) {
    return;
  }
  ManagerMachines::Machine* manager = nullptr;
  for (const auto& machine : managers_.all()) {
    if (machine->is_up() && machine->gateway->leader().is_self) {
      manager = machine.get();
    }
  }
  if (manager == nullptr || random_.chance(0.1)) {
    manager = managers_.all()[random_.below(managers_.size())].get();
  }
  if (!manager->is_up()) {
    return;
  }
  if (services_.size() - removed_.size() < kMaxServices && random_.chance(0.3)) {
    create_service(*manager);
  } else if (random_.chance(0.3)) {
    read_services(*manager);
  } else if (!services_.empty()) {
    auto chosen = services_.begin();
    std::advance(chosen, static_cast<ptrdiff_t>(random_.below(services_.size())));
    change_service(*manager, *chosen);
  }
}

void SwarmSimulation::create_service(ManagerMachines::Machine& manager) {
  constexpr const char* kPrefixes[] = {"start", SwarmInvariants::kStopFirst, SwarmInvariants::kData,
                                       SwarmInvariants::kHostPort};
  const std::string name =
      kPrefixes[random_.below(std::size(kPrefixes))] + std::to_string(services_.size() + 1);
  services_.insert(name);
  const auto port = static_cast<uint16_t>(9'000 + services_.size());
  write(manager, name,
        [spec = random_spec(random_, name, port)](const state::View& view, WallTime now,
                                                  Random& random) -> Result<state::ChangeSet> {
          SWARM_ASSIGN_OR_RETURN(control::CreatedService created,
                                 control::create_service({view, now, random}, spec));
          return std::move(created.changes);
        });
}

void SwarmSimulation::change_service(ManagerMachines::Machine& manager, const std::string& name) {
  Change change = random_change(random_);
  if (!removed_.contains(name) && random_.chance(0.05)) {
    removed_.insert(name);
    change = [](const control::Context& context, const state::ServicePtr& service) {
      return control::remove_service(context, service->id.value());
    };
  }
  write(manager, name,
        [name, change](const state::View& view, WallTime now,
                       Random& random) -> Result<state::ChangeSet> {
          const state::ServicePtr service = view.service_by_name(name);
          if (service == nullptr) {
            return absl::NotFoundError("no service " + name);
          }
          return change({view, now, random}, service);
        });
}

void SwarmSimulation::write(ManagerMachines::Machine& manager, const std::string& service,
                            api::Gateway::Write use_case) {
  const uint64_t operation = ++last_operation_;
  const auto has_changed = std::make_shared<bool>(false);
  manager.gateway->write(
      [operation, has_changed, use_case = std::move(use_case)](
          const state::View& view, WallTime now, Random& random) mutable {
        Result<state::ChangeSet> changes = use_case(view, now, random);
        if (changes.ok()) {
          *has_changed = !changes->is_empty();
          mark(*changes, operation);
        }
        return changes;
      },
      [this, operation, has_changed, service](const Status& status) {
        if (status.ok() && *has_changed) {
          invariants_.acknowledged(service, operation);
        }
      });
}

// A confirmed read shows everything that was acknowledged when it was asked for.
void SwarmSimulation::read_services(ManagerMachines::Machine& manager) {
  const auto lacks = std::make_shared<std::string>();
  manager.gateway->read(
      [lacks, expected = invariants_.acknowledged(), removed = removed_](const state::View& view) {
        for (const auto& [name, operations] : expected) {
          const state::ServicePtr service = view.service_by_name(name);
          for (const uint64_t operation : operations) {
            const std::string label = SwarmInvariants::operation_label(operation);
            if (!removed.contains(name) &&
                (service == nullptr || !service->settings.labels.contains(label))) {
              *lacks = label + " of " + name;
            }
          }
        }
        return absl::OkStatus();
      },
      [this, lacks](const Status& status) {
        if (status.ok() && !lacks->empty()) {
          invariants_.violate("a confirmed read lacks " + *lacks);
        }
      });
}

}  // namespace swarm::test
