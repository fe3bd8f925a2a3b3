#pragma once

#include <cstdint>

#include "base/strong_id.h"

namespace swarm::model {

using SwarmId = StrongId<struct SwarmIdTag>;
using NodeId = StrongId<struct NodeIdTag>;
using ServiceId = StrongId<struct ServiceIdTag>;
using TaskId = StrongId<struct TaskIdTag>;
using SessionId = StrongId<struct SessionIdTag>;

// A member of the Raft group. A node that leaves and returns as a manager gets a new one; removed
// ids are never used again. Zero is nobody.
using MemberId = StrongId<struct MemberIdTag, uint64_t>;

// Number of a revision within its service, from 1. Zero is none.
using RevisionNumber = uint64_t;

// Identity of one replica within its service, from 1.
using Slot = uint32_t;

// Number of a store transaction, from 1, without gaps. An object's version is the position of its
// last change. Zero is "never stored".
using Position = uint64_t;

}  // namespace swarm::model
