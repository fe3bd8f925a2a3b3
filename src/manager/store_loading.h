#pragma once

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "state/store_contents.h"

// What a large snapshot costs, on a loop that has time and never for long at once.
namespace swarm::manager {

// Makes contents from the chunks of a snapshot, one chunk in a turn of `loop`. `done` on that loop.
void load_in_slices(EventLoop& loop, std::vector<std::string> chunks,
                    absl::AnyInvocable<void(Result<state::StoreContents>)> done);

// Frees them, kDroppedObjects in a turn of `loop`.
void drop_in_slices(EventLoop& loop, state::StoreContents contents);

// Takes a millisecond or two.
inline constexpr size_t kDroppedObjects = 1024;

}  // namespace swarm::manager
