#include "manager/leader_term.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "manager/incident_log.h"
#include "manager/reconcilers.h"

namespace swarm::manager {

LeaderTerm::LeaderTerm(EventLoop& loop, state::Store& store, state::OutputGate& gate,
                       const model::NodeId& self, RoleManager::Membership membership, Random random,
                       dispatcher::MeshProbe probe)
    : store_(store),
      self_(self),
      dispatcher_(dispatcher::Dispatcher::make(loop, store, gate, random.fork("dispatcher"),
                                               std::move(probe))),
      roles_(loop, store, self, std::move(membership)),
      reconcile_(loop, store, make_reconcilers(random)) {}

void LeaderTerm::start(model::MemberId former) {
  for (const auto& [id, node] : state::NodeTable(store_.view().nodes())) {
    if (id != self_ && node->manager.has_value() && node->manager->member == former) {
      dispatcher_->doubt(id);
    }
  }
  announce_managers();
  roles_.start();
  reconcile_.start();
}

void LeaderTerm::observe(const std::vector<state::Change>& changes) {
  log_incidents(store_.view(), changes);
  dispatcher_->observe(changes);
  roles_.observe(changes);
  reconcile_.observe(changes);
  const bool has_node_change = std::any_of(changes.begin(), changes.end(), [](const auto& change) {
    return std::holds_alternative<state::NodePtr>(change.after);
  });
  if (has_node_change) {
    announce_managers();
  }
}

void LeaderTerm::announce_managers() {
  model::ManagerList managers;
  for (const auto& [id, node] : store_.view().nodes()) {
    if (!node->manager.has_value()) {
      continue;
    }
    if (id == self_) {
      managers.addresses.insert(managers.addresses.begin(), node->manager->address);
    } else {
      managers.addresses.push_back(node->manager->address);
    }
  }
  dispatcher_->set_managers(std::move(managers));
}

}  // namespace swarm::manager
