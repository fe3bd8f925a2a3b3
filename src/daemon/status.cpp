#include "daemon/status.h"

namespace swarm::daemon {

std::string status_line(const api::LocalNode::Info& info) {
  if (!info.membership_fault.empty()) {
    return "refuses to work: " + info.membership_fault;
  }
  if (!info.is_member) {
    return "not part of a swarm";
  }
  std::string line = std::string(model::to_string(info.role)) + " of swarm " + info.swarm.value();
  if (info.role == model::Role::worker) {
    return line;
  }
  if (!info.manager_refusal.empty()) {
    return line + ", does not serve: " + info.manager_refusal;
  }
  if (info.is_leader) {
    return line + ", leader";
  }
  return line +
         (info.leader_address.empty() ? ", no leader" : ", leader is " + info.leader_address);
}

}  // namespace swarm::daemon
