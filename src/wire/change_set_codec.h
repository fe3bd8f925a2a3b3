#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/change_set.h"

// The bytes of one raft entry. Equal change sets give equal bytes.
namespace swarm::wire {

struct Entry {
  model::Position position = 0;
  model::ChangeSet changes;
};

std::string encode_change_set(model::Position position, const model::ChangeSet& changes);
// DATA_LOSS for anything that encode_change_set did not write.
Result<Entry> decode_change_set(std::string_view bytes);

}  // namespace swarm::wire
