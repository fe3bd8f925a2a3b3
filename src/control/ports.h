#pragma once

#include <vector>

#include "base/result.h"
#include "model/service.h"
#include "state/view.h"

// Which service may publish which port. A port of one service's ingress belongs to it on every
// node; host-mode ports of two services may be equal, because the scheduler keeps them on different
// nodes. A service whose rollout is not over holds the ports of both revisions: it may have to go
// back.
namespace swarm::control {

// Published 0 gets the port that `stored` (may be empty) had for the same target, or a free one
// from 30000-32767. RESOURCE_EXHAUSTED when there is none.
Status assign_ports(const state::View& view, const model::ServiceId& self,
                    const std::vector<model::PublishedPort>& stored,
                    std::vector<model::PublishedPort>* ports);

// INVALID_ARGUMENT for a port that a node listens on itself (swarm port, mesh port), and for UDP.
// ALREADY_EXISTS for a port that another service has.
Status check_ports_free(const state::View& view, const model::ServiceId& self,
                        const std::vector<model::PublishedPort>& ports);

}  // namespace swarm::control
