#pragma once

#include "base/result.h"
#include "model/change_set.h"

namespace swarm::v1 {
class StoreObject;
}  // namespace swarm::v1

// An object of any of the five kinds. Errors as in service_codec.h; no object at all is refused
// too.
namespace swarm::wire {

void encode(const model::ChangeSet::Object& object, v1::StoreObject* out);
Result<model::ChangeSet::Object> decode(const v1::StoreObject& in);

}  // namespace swarm::wire
