#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "control/nodes.h"
#include "control/services.h"
#include "simulation/manager_machines.h"

namespace swarm::manager {

// Real managers on simulated machines, and what callers do with their gateways. Every call waits
// for its answer.
class ManagerTest : public ::testing::Test {
 protected:
  using Machine = test::ManagerMachines::Machine;

  static constexpr Duration kPatience = seconds(30);

  std::optional<Status> try_write(Machine& machine, api::Gateway::Write use_case,
                                  Duration patience = kPatience) {
    auto answer = std::make_shared<std::optional<Status>>();
    machine.gateway->write(std::move(use_case),
                           [answer](Status status) { *answer = std::move(status); });
    world_.run_until([&answer] { return answer->has_value(); }, patience);
    return *answer;
  }
  Status write(Machine& machine, api::Gateway::Write use_case) {
    return try_write(machine, std::move(use_case)).value_or(absl::UnknownError("no answer"));
  }
  Status create(Machine& machine, const std::string& name) { return write(machine, making(name)); }

  // "made", "recalled", or why neither.
  std::string write_once(Machine& machine, model::RequestId request, const std::string& name) {
    auto answer = std::make_shared<std::optional<std::string>>();
    auto is_recalled = std::make_shared<bool>(false);
    machine.gateway->write_once(
        request, making(name),
        [is_recalled, name](const state::View& view) {
          *is_recalled = view.service_by_name(name) != nullptr;
          return absl::OkStatus();
        },
        [answer, is_recalled](const Status& status) {
          *answer = status.ok()                   ? (*is_recalled ? "recalled" : "made")
                    : absl::IsUnavailable(status) ? "unavailable"
                                                  : std::string(status.message());
        });
    world_.run_until([&answer] { return answer->has_value(); }, kPatience);
    return answer->value_or("no answer");
  }

  static api::Gateway::Write making(const std::string& name) {
    return
        [name](const state::View& view, WallTime now, Random& random) -> Result<state::ChangeSet> {
          model::ServiceSpec spec;
          spec.name = name;
          spec.task.container.image = "web:1";
          SWARM_ASSIGN_OR_RETURN(control::CreatedService created,
                                 control::create_service({view, now, random}, spec));
          return std::move(created.changes);
        };
  }

  // Whether a confirmed read shows the service.
  Result<bool> reads(Machine& machine, const std::string& name) {
    auto answer = std::make_shared<std::optional<Status>>();
    auto found = std::make_shared<bool>(false);
    machine.gateway->read(
        [found, name](const state::View& view) {
          *found = view.service_by_name(name) != nullptr;
          return absl::OkStatus();
        },
        [answer](Status status) { *answer = std::move(status); });
    if (!world_.run_until([&answer] { return answer->has_value(); }, kPatience)) {
      return absl::UnknownError("no answer");
    }
    SWARM_RETURN_IF_ERROR(**answer);
    return *found;
  }

  bool shows(Machine& machine, const std::string& name) {
    return machine.manager->store().view().service_by_name(name) != nullptr;
  }

  void start_managers(size_t count) {
    ASSERT_TRUE(managers_.bootstrap());
    while (managers_.size() < count) {
      ASSERT_TRUE(managers_.join());
    }
    // The last one is a voter, too.
    world_.run_for(seconds(2));
  }
  void isolate(const Machine& machine) {
    for (const auto& other : managers_.all()) {
      network_.cut(machine.name, other->name);
      network_.cut(other->name, machine.name);
    }
  }
  Machine& leader() { return *managers_.await_leader(); }
  Machine& follower() {
    for (const auto& machine : managers_.all()) {
      if (machine->is_up() && machine.get() != managers_.leader()) {
        return *machine;
      }
    }
    return leader();
  }

  test::World world_;
  test::MachineNetwork network_{world_, Random(2)};
  test::ManagerMachines managers_{world_, network_, Random(1), {}};
};

}  // namespace swarm::manager
