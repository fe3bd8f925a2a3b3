#pragma once

#include <map>
#include <memory>
#include <string>

#include "raft_simulation.h"
#include "simple_cipher.h"

namespace swarm::test {

class RaftSimulation::NodeTransport final : public raft::Transport {
 public:
  NodeTransport(RaftSimulation& simulation, raft::MemberId self)
      : simulation_(simulation), self_(self) {}

  void set_peer(raft::MemberId, const std::string&) override {}
  void remove_peer(raft::MemberId) override {}
  void send(raft::MemberId to, std::string message) override {
    simulation_.deliver(self_, to, message);
  }

 private:
  RaftSimulation& simulation_;
  const raft::MemberId self_;
};

// One simulated machine. The disk outlives crashes, the rest is made anew.
struct RaftSimulation::Node {
  Node(RaftSimulation& simulation, raft::MemberId member) : id(member), transport(simulation, id) {}

  bool is_up() const { return replica != nullptr; }
  const raft::RaftCore& core() const { return replica->core(); }

  const raft::MemberId id;
  SimulatedFileSystem disk;
  SimpleCipher cipher;
  NodeTransport transport;
  uint64_t incarnation = 0;
  std::unique_ptr<DiskLoop> disk_loop;
  std::unique_ptr<ListMachine> machine;
  std::unique_ptr<raft::RaftReplica> replica;
  bool is_failing = false;
  raft::Term leads;  // as its machine was told
  std::map<std::string, raft::Term> proposed;
};

}  // namespace swarm::test
