// What a node does when the swarm has removed it.

#include "api/server.h"
#include "base/log.h"
#include "base/units.h"
#include "manager/node.h"

namespace swarm::manager {

namespace {

// Whoever removes a node by force wants its tasks gone, but not at the price of every open request.
constexpr agent::StopLimits kRemovedLimits{.drain = seconds(2), .grace = seconds(5)};
constexpr const char* kNoticeName = "removed";
constexpr size_t kMaxNoticeBytes = 4096;

}  // namespace

void Node::leave_removed(const model::NodeId& node) {
  const NodeRecord self = record();
  if (agent_ == nullptr || self.node != node) {
    return;  // it has left meanwhile
  }
  log::warning("removed from the swarm by its managers, stopping all tasks",
               {{"swarm", self.swarm.value()}});
  agent_->leave(kRemovedLimits);
  agent_.reset();
  stop_server();
  stop_manager();
  if (const Status cleared = clear_membership(); !cleared.ok()) {
    log::error("membership not cleared", {{"error", cleared.message()}});
  }
  remember_removal(self.swarm);
  log::warning("swarm left: this node was removed from it", {{"swarm", self.swarm.value()}});
}

void Node::remember_removal(const model::SwarmId& swarm) {
  const std::string notice = "it was removed from swarm " + swarm.value() + " by its managers at " +
                             format_time(lifecycle_.wall_now()) + " and has stopped its tasks";
  const std::filesystem::path file = options_.state_directory / kNoticeName;
  if (const Status saved = replace_file(files_, file, notice); !saved.ok()) {
    log::warning("removal not remembered", {{"error", saved.message()}});
  }
  const std::scoped_lock lock(mutex_);
  notice_ = notice;
}

void Node::recall_removal() {
  const auto notice = read_file(files_, options_.state_directory / kNoticeName, kMaxNoticeBytes);
  if (notice.ok()) {
    const std::scoped_lock lock(mutex_);
    notice_ = *notice;
  }
}

void Node::forget_removal() {
  const std::filesystem::path file = options_.state_directory / kNoticeName;
  if (!files_.exists(file)) {
    return;
  }
  if (const Status removed = files_.remove(file); !removed.ok()) {
    log::warning("notice of an earlier removal not deleted", {{"error", removed.message()}});
  }
}

}  // namespace swarm::manager
