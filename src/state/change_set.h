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

// One object as it was and as it is. Both hold a pointer of the same kind; `before` holds a null
// pointer when the object was created, `after` when it was removed.
struct Change {
  ChangeSet::Object before;
  ChangeSet::Object after;
};

}  // namespace swarm::state
