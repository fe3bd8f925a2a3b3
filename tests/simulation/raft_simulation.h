#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "disk_loop.h"
#include "list_machine.h"
#include "raft/replica/raft_replica.h"
#include "raft_invariants.h"
#include "support/simulated_file_system.h"
#include "support/simulated_loop.h"

namespace swarm::test {

// What a run is made of, drawn from its seed. Each class of faults is off in half of the runs, so
// that it does not hide what the others find.
struct SimulationPlan {
  explicit SimulationPlan(Random& random);

  size_t members = 3;
  double drop = 0;
  double duplicate = 0;
  Duration max_delay{};
  double partition_rate = 0;  // per tenth of a second, like the rates below
  double crash_rate = 0;
  double disk_error_rate = 0;
  double disk_full_rate = 0;
  double membership_rate = 0;
  double transfer_rate = 0;
  bool strikes_leaders = false;  // cut or crash whoever has just become leader
  Duration disk_mean{};
  uint64_t snapshot_bytes = 0;
  uint64_t segment_bytes = 0;
  size_t max_payload = 0;
};

// A Raft group of real replicas, logs and snapshot files under virtual time: first faults and a
// workload with the invariants checked after every event, then no more faults, and everyone must
// agree within a bound. Everything follows from the seed.
class RaftSimulation {
 public:
  struct Outcome {
    std::optional<std::string> violation;
    uint64_t hash = 0;  // of everything that happened
    uint64_t events = 0;
    size_t acknowledged = 0;
    size_t elections = 0;
    size_t crashes = 0;
    size_t snapshots_restored = 0;
  };

  explicit RaftSimulation(uint64_t seed);
  ~RaftSimulation();
  Outcome run();

 private:
  struct Node;
  class NodeTransport;

  // raft_simulation.cpp
  void start_group();
  bool step_until(TimePoint end);
  void after_event();
  void check_agreement();
  Node* leader();
  static std::string describe(const Node& node);

  // raft_nodes.cpp
  Node& make_node(bool is_first);
  void open(Node& node);
  void crash(Node& node, bool loses_power);
  void restart_later(Node& node);
  void deliver(raft::MemberId from, raft::MemberId to, const std::string& message);
  bool can_pass(raft::MemberId from, raft::MemberId to) const;
  void on_applied(Node& node, const raft::CommittedEntry& entry);

  // raft_nemesis.cpp
  void nemesis();
  void cut_some();
  void strike(raft::MemberId member);
  void change_membership();
  void propose();
  void read();
  void fill_disk(Node& node);
  void heal();

  World world_;
  SimulatedLoop loop_{world_};
  Random random_;
  SimulationPlan plan_;
  RaftInvariants invariants_;
  std::map<raft::MemberId, std::unique_ptr<Node>> nodes_;
  std::set<std::pair<raft::MemberId, raft::MemberId>> cuts_;  // from, to
  std::set<raft::MemberId> removed_;
  uint64_t last_member_ = 0;
  uint64_t last_command_ = 0;
  std::set<std::string> acknowledged_;
  bool has_faults_ = false;
  Outcome outcome_;
};

}  // namespace swarm::test
