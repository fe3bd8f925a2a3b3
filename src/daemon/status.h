#pragma once

#include <string>

#include "api/client/local_node.h"

namespace swarm::daemon {

// What the node is, in a few words for `systemctl status`: "manager of swarm ..., leader".
std::string status_line(const api::LocalNode::Info& info);

}  // namespace swarm::daemon
