#pragma once

#include <string>

#include "scheduler/node_ledger.h"

namespace swarm::scheduler {

// Who holds a host-mode port that `needs` asks for on the node of `account`: "port 8080 on node w2
// is held by web.1 (stopping)". Of several, one that is to go on running: it is what the port waits
// for. Empty when nobody does.
std::string port_holder_on(const state::View& view, const NodeAccount& account, const Needs& needs);

}  // namespace swarm::scheduler
