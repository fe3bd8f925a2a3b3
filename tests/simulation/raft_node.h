#pragma once

#include <map>
#include <memory>
#include <string>

#include "raft_simulation.h"

namespace swarm::test {

// Seals nothing, but changes the bytes, so that whoever forgets to open them is found out.
class SimpleCipher final : public raft::PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return "s" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) override {
    if (!sealed.starts_with('s')) {
      return absl::DataLossError("not sealed with this key");
    }
    return std::string(sealed.substr(1));
  }
};

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
