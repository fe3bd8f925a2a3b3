#pragma once

#include <string>

#include "model/service.h"

// Which task of a slot goes first when the policy leaves it open, and whether a task's data ties it
// to its node.
namespace swarm::model {

// The order that applies to a slot that moves to a task of this template: the policy's own, else
// stop-first when the template has a writable bind mount or named volume, because two tasks of a
// slot would write to it, else start-first, which drops no request even with one replica.
UpdateOrder effective_order(const UpdatePolicy& policy, const TaskTemplate& task);

// Why, for a person: "as requested", "default", "default, because the mount at /data is writable".
std::string order_reason(const UpdatePolicy& policy, const TaskTemplate& task);

// A named volume or a writable bind mount: what the task wrote is on its node and nowhere else.
bool keeps_data_on_node(const TaskTemplate& task);

}  // namespace swarm::model
