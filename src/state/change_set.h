#pragma once

#include "model/change_set.h"

// The words of model/change_set.h, as everything above the store knows them.
namespace swarm::state {

using model::ChangeSet;
using model::ClusterPtr;
using model::NodePtr;
using model::RevisionKey;
using model::RevisionPtr;
using model::ServicePtr;
using model::TaskPtr;

}  // namespace swarm::state
