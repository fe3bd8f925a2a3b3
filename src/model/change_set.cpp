#include "model/change_set.h"

#include <iterator>
#include <utility>

namespace swarm::model {

void ChangeSet::append(ChangeSet other) {
  puts.insert(puts.end(), std::make_move_iterator(other.puts.begin()),
              std::make_move_iterator(other.puts.end()));
  removals.insert(removals.end(), std::make_move_iterator(other.removals.begin()),
                  std::make_move_iterator(other.removals.end()));
}

}  // namespace swarm::model
