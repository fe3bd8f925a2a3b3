#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "agent_machines.h"

namespace swarm::test {

// What must hold in a swarm after every event, and once faults are over. The first violation is
// kept.
class SwarmInvariants {
 public:
  SwarmInvariants(ManagerMachines& managers, AgentMachines& agents)
      : managers_(managers), agents_(agents) {}

  // After every event.
  void look();
  // Now and then, because it serialises whole stores: at one position there is one state.
  void compare_stores();

  // Every write leaves its number as a label on its service.
  void acknowledged(const std::string& service, uint64_t operation);
  // Operations that `view` must show because they were acknowledged before it was asked for.
  using Acknowledged = std::map<std::string, std::set<uint64_t>>;
  const Acknowledged& acknowledged() const { return acknowledged_; }
  // Services that were asked to be removed prove nothing any more.
  void check_present(const state::View& view, const Acknowledged& expected,
                     const std::set<std::string>& removed, const std::string& who);

  // What the swarm still lacks to be as declared; empty when it is.
  std::string unrest();

  void violate(const std::string& what);
  const std::optional<std::string>& violation() const { return violation_; }
  size_t terms() const { return leaders_.size(); }
  size_t writes() const { return writes_; }

  static std::string operation_label(uint64_t operation) {
    return "operation-" + std::to_string(operation);
  }
  // What is special about a service, as a prefix of its name: it replaces slots stop-first, has a
  // volume and leaves the order open, or has a host-mode port.
  static constexpr const char* kStopFirst = "stop";
  static constexpr const char* kData = "data";
  static constexpr const char* kHostPort = "host";
  static bool never_overlaps(const std::string& service) {
    return service.starts_with(kStopFirst) || service.starts_with(kData);
  }
  static bool is_tied_to_nodes(const std::string& service) {
    return service.starts_with(kHostPort) || service.starts_with(kData);
  }

 private:
  void look_at_nodes(const state::View& view);
  void look_at_slots();
  // No stored wait is longer than its delay from when the leader first saw it.
  void look_at_waits(const state::View& view, WallTime now);
  std::string unserved(const state::View& view) const;
  std::string unrest_of(const state::View& view, const model::Service& service,
                        std::set<model::TaskId>& expected) const;

  ManagerMachines& managers_;
  AgentMachines& agents_;
  std::map<raft::Term, model::MemberId> leaders_;
  std::map<model::Position, std::string> states_;  // digest by committed position
  std::map<const ManagerMachines::Machine*, model::Position> seen_;
  std::set<model::TaskId> running_;
  // Their node was given up while they may have run on: a replacement may run beside them.
  std::set<model::TaskId> given_up_;
  Acknowledged acknowledged_;
  size_t writes_ = 0;
  std::optional<std::string> violation_;
};

}  // namespace swarm::test
