#include "manager/role_manager.h"

#include <variant>

#include "base/log.h"
#include "control/swarm.h"

namespace swarm::manager {

namespace {

constexpr Duration kRetryDelay = seconds(1);

bool must_leave(const model::Node& node) {
  return node.manager.has_value() && node.spec.role == model::Role::worker;
}

}  // namespace

RoleManager::RoleManager(EventLoop& loop, state::Store& store, model::NodeId self,
                         Membership membership)
    : loop_(loop),
      store_(store),
      self_(std::move(self)),
      membership_(std::move(membership)),
      retry_(loop) {}

void RoleManager::start() {
  if (const state::ClusterPtr& cluster = store_.view().cluster()) {
    removed_ = cluster->removed_members;
  }
  schedule();
}

void RoleManager::observe(const std::vector<state::Change>& changes) {
  for (const state::Change& change : changes) {
    const auto* const node = std::get_if<state::NodePtr>(&change.after);
    if (node != nullptr && *node == nullptr) {
      const state::NodePtr& before = std::get<state::NodePtr>(change.before);
      if (before->manager.has_value()) {
        removed_.insert(before->manager->member);
        schedule();
      }
    } else if (node != nullptr && must_leave(**node)) {
      schedule();
    }
  }
}

void RoleManager::schedule() {
  if (!is_busy_ && !retry_.is_set()) {
    retry_.set_after(Duration{0}, [this] { run(); });
  }
}

void RoleManager::run() {
  if (is_busy_) {
    return;
  }
  for (const auto& [id, node] : store_.view().nodes()) {
    if (!must_leave(*node)) {
      continue;
    }
    is_busy_ = true;
    auto done = anchor_.bind([this, id = id](Status status) { finished(id, std::move(status)); });
    if (id == self_) {
      log::info("leadership handed over before demotion", {{"node", id.value()}});
      membership_.transfer(std::move(done));
    } else {
      membership_.remove(node->manager->member, std::move(done));
    }
    return;
  }
  if (!removed_.empty()) {
    remove_without_node(*removed_.begin());
  }
}

void RoleManager::remove_without_node(model::MemberId member) {
  is_busy_ = true;
  membership_.remove(member, anchor_.bind([this, member](const Status& status) {
    is_busy_ = false;
    if (status.ok() || absl::IsNotFound(status)) {
      removed_.erase(member);
      schedule();
      return;
    }
    log::warning("membership change failed",
                 {{"member", member.value()}, {"error", status.message()}});
    retry_.set_after(kRetryDelay, [this] { run(); });
  }));
}

void RoleManager::finished(const model::NodeId& node, Status status) {
  is_busy_ = false;
  if (!status.ok()) {
    log::warning("membership change failed", {{"node", node.value()}, {"error", status.message()}});
    retry_.set_after(kRetryDelay, [this] { run(); });
    return;
  }
  if (node == self_) {
    // This leadership is about to end; the next leader removes the member.
    retry_.set_after(kRetryDelay, [this] { run(); });
    return;
  }
  Random unused(0);
  const state::View view = store_.view();
  Result<state::ChangeSet> changes =
      control::record_member_removed({view, loop_.wall_now(), unused}, node);
  if (changes.ok()) {
    status = store_.commit(*std::move(changes), loop_.wall_now()).status();
  } else {
    status = changes.status();
  }
  if (!status.ok()) {
    log::warning("membership could not be recorded",
                 {{"node", node.value()}, {"error", status.message()}});
    retry_.set_after(kRetryDelay, [this] { run(); });
    return;
  }
  schedule();
}

}  // namespace swarm::manager
