#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "disk_loop.h"
#include "list_machine.h"
#include "raft/replica/raft_replica.h"
#include "raft_simulation.h"
#include "simple_cipher.h"
#include "support/simulated_file_system.h"

namespace swarm::test {

// The raft loop of a simulated machine, whose clock runs a little fast or slow and jumps forward,
// as it does when a virtual machine was suspended.
class NodeLoop final : public EventLoop {
 public:
  NodeLoop(World& world, World::Owner& owner) : world_(world), owner_(owner) {}

  // Parts per million.
  void set_drift(int64_t ppm) { ppm_ = ppm; }
  void jump(Duration forward) { offset_ += forward; }

  void post(Callback callback) override {
    world_.schedule(world_.now(), std::move(callback), &owner_);
  }
  TimerId call_at(TimePoint when, Callback callback) override {
    return world_.schedule(world_.now() + (when - now()), std::move(callback), &owner_);
  }
  void cancel(TimerId timer) override { world_.cancel(timer); }
  TimePoint now() const override {
    const Duration real = world_.now().time_since_epoch();
    return TimePoint(real + real / 1'000'000 * ppm_ + offset_);
  }
  WallTime wall_now() const override { return world_.wall_now() - offset_; }
  bool is_current() const override { return true; }

 private:
  World& world_;
  World::Owner& owner_;
  int64_t ppm_ = 0;
  Duration offset_{};
};

inline constexpr std::array<const char*, 4> kRoleNames = {"a follower", "a pre-candidate",
                                                          "a candidate", "the leader"};

class RaftSimulation::NodeTransport final : public raft::Transport {
 public:
  NodeTransport(RaftSimulation& simulation, raft::MemberId self)
      : simulation_(simulation), self_(self) {}

  void set_peer(raft::MemberId peer, const std::string&) override { peers_.insert(peer); }
  void remove_peer(raft::MemberId peer) override { peers_.erase(peer); }
  void send(raft::MemberId to, std::string message) override {
    simulation_.send(self_, to, std::move(message));
  }
  // Of this life: whom the replica wants to reach.
  const std::set<raft::MemberId>& peers() const { return peers_; }
  void end_life() { peers_.clear(); }

 private:
  RaftSimulation& simulation_;
  const raft::MemberId self_;
  std::set<raft::MemberId> peers_;
};

// One simulated machine. The disk outlives crashes, the rest is made anew.
struct RaftSimulation::Node {
  Node(RaftSimulation& simulation, raft::MemberId member)
      : id(member), transport(simulation, id), loop(simulation.world_, owner) {}

  bool is_up() const { return replica != nullptr; }
  const raft::RaftCore& core() const { return replica->core(); }

  // What the core was like after the last event: what happened is the difference.
  struct Watched {
    raft::Role role = raft::Role::follower;
    raft::Term term;
    raft::MemberId vote;
    raft::Index configuration;
    raft::Index last;
    raft::Term last_term;
    raft::Index stable;
    raft::Index committed;
    raft::Index base;
  };

  // What it was like when it died.
  struct Lost {
    raft::Index last;
    raft::Index base;
    raft::Term term;
    raft::MemberId vote;
  };

  const raft::MemberId id;
  World::Owner owner;
  SimulatedFileSystem disk;
  SimpleCipher cipher;
  NodeTransport transport;
  NodeLoop loop;
  uint64_t incarnation = 0;
  std::unique_ptr<DiskLoop> disk_loop;
  std::unique_ptr<ListMachine> machine;
  std::unique_ptr<raft::RaftReplica> replica;
  Watched watched;
  std::optional<Lost> lost;
  bool has_truncated = false;  // and what came instead is not all on the disk yet
  // How members may be configured as far as it knows: the latest and the committed configuration,
  // kept while it is down.
  std::vector<raft::Configuration> configurations;
  bool is_failing = false;
  bool refuses = false;    // down, and its system says so to callers
  bool is_rotten = false;  // its disk was damaged while it was down
  bool is_robbed = false;  // its log was lost or replaced while it was down: it must not start
  SimulatedFileSystem::Copy copy;  // of its log, at an earlier death
  bool is_gone = false;            // for ever: removed, or refused to start
  // Of the snapshot that it was sent last: from whom, and how much of it by that leader.
  raft::SnapshotMeta receiving;
  raft::Term receiving_from;
  uint64_t received_parts = 0;
  raft::Term leads;  // as its machine was told
  std::map<uint64_t, raft::Term> proposed;
};

}  // namespace swarm::test
