#pragma once

#include <string>

#include "state/view.h"

namespace swarm::orchestrator {

// Why a task failed, for a person: "web.3 on node w2: task: non-zero exit (1): …". What the task,
// its engine or its health check said last comes after the name.
std::string describe_failure(const state::View& view, const model::Service& service,
                             const model::Task& task);

// Why it does not run yet, in the same form: what it waits for.
std::string describe_wait(const state::View& view, const model::Service& service,
                          const model::Task& task);

}  // namespace swarm::orchestrator
