#include "manager_machines.h"

#include <optional>
#include <utility>

#include "control/swarm.h"

namespace swarm::test {

class ManagerMachines::Link final : public raft::Transport {
 public:
  Link(ManagerMachines& machines, const Machine& self) : machines_(machines), self_(self) {}

  void set_peer(raft::MemberId, const std::string&) override {}
  void remove_peer(raft::MemberId) override {}
  void send(raft::MemberId to, std::string message) override {
    machines_.deliver(self_, model::MemberId(to.value()), std::move(message));
  }

 private:
  ManagerMachines& machines_;
  const Machine& self_;
};

ManagerMachines::ManagerMachines(World& world, MachineNetwork& network, Random random, Pace pace)
    : world_(world), network_(network), random_(random), pace_(pace), swarm_(random_id(random_)) {}

ManagerMachines::~ManagerMachines() {
  for (const auto& machine : machines_) {
    if (machine->is_up()) {
      crash(*machine, false);
    }
  }
  // What still waits holds the managers that are gone.
  world_.drop_all();
}

ManagerMachines::Machine& ManagerMachines::make_machine(model::NodeId node,
                                                        model::MemberId member) {
  Machine& machine = *machines_.emplace_back(std::make_unique<Machine>());
  machine.name = "manager-" + std::to_string(machines_.size()) + ":2377";
  machine.node = std::move(node);
  machine.member = member;
  machine.transport = std::make_unique<Link>(*this, machine);
  return machine;
}

bool ManagerMachines::open(Machine& machine) {
  const auto loop = [this](Duration mean) {
    return loops_.emplace_back(std::make_unique<DiskLoop>(world_, random_.fork("loop"), mean))
        .get();
  };
  ++machine.incarnation;
  machine.control_loop = loop(pace_.hop);
  machine.raft_loop = loop(pace_.hop);
  machine.log_loop = loop(pace_.disk);
  for (DiskLoop* each : {machine.control_loop, machine.raft_loop, machine.log_loop}) {
    each->follow_wall_offset(&machine.clock_offset);
  }
  manager::ManagerOptions options;
  options.node = machine.node;
  options.member = machine.member;
  options.address = machine.name;
  options.directory = "/raft";
  options.promises = "/beside/promises";
  options.raft.snapshot_log_bytes = pace_.snapshot_log_bytes;
  options.raft.segment_bytes = 1 << 16;
  options.raft.on_storage_failure = [this, &machine](const Status&) {
    // A process that cannot trust its disk ends, and is started again.
    world_.schedule(world_.now(), [this, &machine, incarnation = machine.incarnation] {
      if (machine.is_up() && machine.incarnation == incarnation) {
        crash(machine, true);
        restart(machine);
      }
    });
  };
  const manager::ManagerEnvironment environment{*machine.control_loop, *machine.raft_loop,
                                                *machine.log_loop,     machine.disk,
                                                *machine.transport,    machine.cipher};
  Result<std::shared_ptr<manager::Manager>> opened =
      manager::Manager::open(options, environment, random_.fork("manager"));
  if (!opened.ok()) {
    on_failure(machine.name + " does not start: " + std::string(opened.status().message()));
    return false;
  }
  machine.manager = *std::move(opened);
  machine.gateway = std::make_shared<manager::ManagerGateway>(
      machine.manager, signer_,
      manager::ManagerGateway::Peers{
          nullptr,
          [this](const std::string& address, const model::NodeId&, api::Gateway::Done done) {
            done(unreachable.contains(address) ? absl::UnavailableError("Connection refused")
                                               : absl::OkStatus());
          }});
  return true;
}

bool ManagerMachines::bootstrap() {
  const model::NodeId node(random_id(random_));
  const model::MemberId member((random_.next() >> 1) | 1);
  Machine& machine = make_machine(node, member);
  if (!open(machine)) {
    return false;
  }
  const Status made =
      machine.manager->bootstrap([swarm = swarm_, node, member, address = machine.name](
                                     const state::View& view, WallTime now, Random& random) {
        model::Cluster cluster;
        cluster.id = swarm;
        cluster.worker_token_secret = kWorkerToken;
        cluster.manager_token_secret = kManagerToken;
        model::Node first;
        first.id = node;
        first.manager = model::ManagerStatus{member, address};
        return control::create_cluster({view, now, random}, cluster, first);
      });
  if (!made.ok()) {
    on_failure("no new swarm: " + std::string(made.message()));
    return false;
  }
  machine.manager->start();
  return await_leader() != nullptr;
}

Result<model::NodeId> ManagerMachines::admit(const std::string& token) {
  Machine* const leader = await_leader();
  if (leader == nullptr) {
    return absl::UnavailableError("nobody leads");
  }
  std::optional<Result<api::Gateway::IssuedCertificate>> issued;
  leader->gateway->issue_certificate(token, "request", model::Availability::active,
                                     [&issued](auto result) { issued = std::move(result); });
  if (!world_.run_until([&issued] { return issued.has_value(); }, seconds(10))) {
    return absl::UnavailableError("no answer");
  }
  SWARM_RETURN_IF_ERROR(issued->status());
  return (*issued)->node;
}

model::NodeId ManagerMachines::admit_worker() {
  return admit(kWorkerToken).value_or(model::NodeId{});
}

Result<model::NodeId> ManagerMachines::admit_manager() {
  return admit(kManagerToken);
}

bool ManagerMachines::join() {
  const Result<model::NodeId> node = admit(kManagerToken);
  Machine* const leader = await_leader();
  if (!node.ok() || leader == nullptr) {
    return false;
  }
  const std::string address = "manager-" + std::to_string(machines_.size() + 1) + ":2377";
  std::optional<Result<api::Gateway::Joined>> joined;
  leader->gateway->join_raft(*node, address,
                             [&joined](auto result) { joined = std::move(result); });
  if (!world_.run_until([&joined] { return joined.has_value(); }, seconds(10)) || !joined->ok()) {
    return false;
  }
  Machine& machine = make_machine(*node, (*joined)->member);
  if (!open(machine)) {
    return false;
  }
  machine.manager->start();
  return world_.run_until(
      [&machine] { return machine.manager->store().view().cluster() != nullptr; }, seconds(30));
}

void ManagerMachines::crash(Machine& machine, bool loses_power) {
  if (loses_power) {
    // The group that was being written reaches the disk's cache, and no further.
    machine.disk.begin_power_loss();
    if (random_.chance(0.7)) {
      machine.log_loop->run_one();
    }
  }
  machine.log_loop->drop_all();
  machine.manager->stop();
  machine.gateway.reset();
  machine.manager.reset();
  machine.raft_loop->drop_all();
  machine.control_loop->drop_all();
  if (loses_power) {
    machine.disk.crash(random_);
  }
}

void ManagerMachines::restart(Machine& machine) {
  if (!machine.is_up() && open(machine)) {
    machine.manager->start();
  }
}

void ManagerMachines::deliver(const Machine& from, model::MemberId to, std::string message) {
  for (const auto& machine : machines_) {
    if (machine->member == to) {
      network_.send(
          from.name, machine->name,
          [&target = *machine, member = from.member, text = std::move(message)]() mutable {
            if (target.is_up()) {
              target.raft_loop->post([&target, member, received = std::move(text)]() mutable {
                target.manager->receive(member, std::move(received));
              });
            }
          });
      return;
    }
  }
}

ManagerMachines::Machine* ManagerMachines::by_name(const std::string& name) {
  for (const auto& machine : machines_) {
    if (machine->name == name) {
      return machine.get();
    }
  }
  return nullptr;
}

ManagerMachines::Machine* ManagerMachines::leader() {
  Machine* found = nullptr;
  for (const auto& machine : machines_) {
    if (machine->leads() &&
        (found == nullptr || *machine->manager->leading_term() > *found->manager->leading_term())) {
      found = machine.get();
    }
  }
  return found;
}

ManagerMachines::Machine* ManagerMachines::await_leader(Duration limit) {
  world_.run_until([this] { return leader() != nullptr; }, limit);
  return leader();
}

}  // namespace swarm::test
