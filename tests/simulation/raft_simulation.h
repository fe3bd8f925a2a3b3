#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "raft_invariants.h"
#include "raft_network.h"
#include "raft_plan.h"
#include "raft_states.h"
#include "support/simulated_loop.h"

namespace swarm::test {

// A Raft group of real replicas, logs and snapshot files under virtual time. First faults and a
// workload, with the invariants checked after every event. Then a part that can decide is healed
// while the rest stays dead or cut off for ever, and must elect, commit and drain within a bound;
// then one member's troubles must not disturb the others. Everything follows from the seed.
class RaftSimulation {
 public:
  struct Options {
    bool traces = false;  // every event, to stdout
    Duration until = Duration::max();
  };
  struct Outcome {
    std::optional<std::string> violation;
    uint64_t hash = 0;  // of everything that happened
    uint64_t events = 0;
    Duration time{};
    size_t acknowledged = 0;
    size_t elections = 0;
    size_t crashes = 0;
    bool is_lost = false;  // too many disks were destroyed for anybody to go on
    States states;
  };

  RaftSimulation(uint64_t seed, Options options);
  explicit RaftSimulation(uint64_t seed) : RaftSimulation(seed, Options()) {}
  ~RaftSimulation();
  Outcome run();
  const RaftPlan& plan() const { return plan_; }

 private:
  struct Node;
  class NodeTransport;
  friend class NodeLoop;

  // raft_simulation.cpp
  void start_group();
  void run_faults();
  bool step_until(TimePoint end);
  void after_event();
  void look(Node& node);
  Node& node_of(raft::MemberId id) { return *nodes_.at(id.value() - 1); }
  std::vector<raft::MemberId> ids() const;
  Node* serving_leader();
  Node* elected_leader();
  void reach(State state) { outcome_.states.set(static_cast<size_t>(state)); }
  template <class Text>
  void trace(Text text) {
    if (options_.traces) {
      print(text());
    }
  }
  void print(const std::string& line) const;
  static std::string describe(const Node& node);

  // raft_healing.cpp
  void heal();
  void make_well(Node& node);
  void heal_whom_a_late_change_needs();
  std::set<raft::MemberId> choose_core();
  bool can_decide(const std::set<raft::MemberId>& members) const;
  std::string missing_agreement();
  void check_convergence();
  void check_stability();
  bool disturb(Node& victim, bool is_one_way, const Node& leading);

  // raft_nodes.cpp
  Node& make_node();
  void prepare_disk(Node& node, const raft::Configuration& configuration);
  void open(Node& node);
  void make_machine(Node& node);
  bool start_replica(Node& node);
  void crash(Node& node, bool loses_power);
  void lose_power(Node& node);
  void restart_later(Node& node);
  void rot(Node& node);
  void lose_state(Node& node);
  bool is_spare(const Node& node);
  void send(raft::MemberId from, raft::MemberId to, std::string message);
  void refuse(raft::MemberId caller, Node& dead);
  void inspect(Node& sender, raft::MemberId to, const std::string& message);
  void on_applied(Node& node, const raft::CommittedEntry& entry);
  void check_peers(const Node& node);
  void check_disk(Node& node);

  // raft_moments.cpp
  void observe(Node& node);
  void observe_role(Node& node, const raft::RaftCore& core);
  void observe_log(Node& node, const raft::RaftCore& core);
  void on_snapshot_begun(Node& sender, Node& receiver);
  void on_moment(Moment moment, Node& node);
  bool is_aimed_at(Moment moment);
  void strike(Node& node);

  // raft_nemesis.cpp
  void nemesis();
  void trouble(Node& node);
  void trouble_network();
  void cut_some();
  void swizzle();
  void pause(Node& node, Duration duration);
  void stall(Node& node);
  void fill_disk(Node& node);

  // raft_workload.cpp
  void work();
  void propose(Node& node);
  void read(Node& node);
  void read_anywhere(Node& node);
  void change_membership();
  void add_member(Node& first);
  void remove_member(Node& first);
  void change_several(Node& first);
  void retire(raft::MemberId id, const Status& removed);
  void transfer();

  const Options options_;
  World world_;
  Random random_;
  const RaftPlan plan_;
  RaftInvariants invariants_;
  RaftNetwork network_;
  std::vector<std::unique_ptr<Node>> nodes_;  // all that ever were: their ids are 1, 2, 3 ...
  std::set<raft::MemberId> core_;             // of the healed
  uint64_t last_command_ = 0;
  std::map<uint64_t, uint64_t> command_at_;  // index by command
  std::vector<uint64_t> acknowledged_;
  bool has_faults_ = false;
  Outcome outcome_;
};

}  // namespace swarm::test
