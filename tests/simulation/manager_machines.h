#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "disk_loop.h"
#include "machine_network.h"
#include "manager/gateway.h"
#include "manager/manager.h"
#include "simple_cipher.h"
#include "support/simulated_file_system.h"

namespace swarm::test {

inline constexpr const char* kWorkerToken = "worker-secret";
inline constexpr const char* kManagerToken = "manager-secret";

// Gives everybody a certificate. That of a node has expired if the node is named in its place.
class GenerousSigner final : public manager::CertificateSigner {
 public:
  Result<std::string> sign(const model::Cluster&, const std::string& csr_pem, const model::NodeId&,
                           model::Role) override {
    return csr_pem.empty() ? Result<std::string>(absl::InvalidArgumentError("not a request"))
                           : "certificate";
  }
  Result<model::NodeId> check_expired(const model::Cluster&, const std::string& certificate_pem,
                                      const std::string&) override {
    return certificate_pem.empty()
               ? Result<model::NodeId>(absl::PermissionDeniedError("expired too long ago"))
               : model::NodeId(certificate_pem);
  }
};

// Managers of one swarm, each on a simulated machine of its own with loops, disk and network: the
// real assembly (replica, log, store, deciders, dispatcher, gateway) on virtual time.
class ManagerMachines {
 public:
  struct Machine {
    std::string name;  // also its address
    model::NodeId node;
    model::MemberId member;
    SimulatedFileSystem disk;
    SimpleCipher cipher;
    std::unique_ptr<raft::Transport> transport;
    DiskLoop* control_loop = nullptr;  // of this life, like the other two
    DiskLoop* raft_loop = nullptr;
    DiskLoop* log_loop = nullptr;
    std::shared_ptr<manager::Manager> manager;  // null while it is down
    std::shared_ptr<manager::ManagerGateway> gateway;
    uint64_t incarnation = 0;
    Duration clock_offset{};  // of its wall clock

    bool is_up() const { return manager != nullptr; }
    bool leads() const { return is_up() && manager->term() != nullptr; }
  };

  // How long things take on each machine, and how much log makes a snapshot.
  struct Pace {
    Duration hop = microseconds(20);
    Duration disk = microseconds(200);
    uint64_t snapshot_log_bytes = 1 << 20;
  };

  ManagerMachines(World& world, MachineNetwork& network, Random random, Pace pace);
  ~ManagerMachines();

  // A new swarm of one. False when it does not come to lead.
  bool bootstrap();
  // One more manager, by token and by asking the leader. False when it is not admitted.
  bool join();
  // The record of a manager that has not asked to join the group yet.
  Result<model::NodeId> admit_manager();
  // A record for a worker, as `swarm join` makes it; empty when refused.
  model::NodeId admit_worker();

  void crash(Machine& machine, bool loses_power);
  void restart(Machine& machine);

  Machine& at(size_t index) { return *machines_.at(index); }
  size_t size() const { return machines_.size(); }
  const std::vector<std::unique_ptr<Machine>>& all() const { return machines_; }
  Machine* by_name(const std::string& name);
  // The one that leads in the highest term; null for nobody.
  Machine* leader();
  // Waits for one; null when none comes.
  Machine* await_leader(Duration limit = seconds(30));

  const model::SwarmId& swarm() const { return swarm_; }
  // Addresses that a leader which dials back finds nobody at.
  std::set<std::string> unreachable;
  // A machine that cannot go on: says why.
  std::function<void(std::string)> on_failure = [](const std::string&) {};

 private:
  class Link;

  Machine& make_machine(model::NodeId node, model::MemberId member);
  bool open(Machine& machine);
  void deliver(const Machine& from, model::MemberId to, std::string message);
  Result<model::NodeId> admit(const std::string& token);

  World& world_;
  MachineNetwork& network_;
  Random random_;
  const Pace pace_;
  GenerousSigner signer_;
  model::SwarmId swarm_;
  // Of all lives: a message on its way may hold a manager that is gone and posts to its loop.
  std::vector<std::unique_ptr<DiskLoop>> loops_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

}  // namespace swarm::test
