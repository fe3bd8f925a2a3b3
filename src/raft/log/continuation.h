#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/result.h"
#include "raft/core/configuration.h"
#include "raft/core/effects.h"
#include "raft/core/entry.h"

// Where a log goes on from a snapshot. Pure.
namespace swarm::raft {

// What of the log goes on from the snapshot: the entries after its index, and none of them when the
// log has another entry at its index.
std::vector<Entry> entries_after(std::vector<Entry> entries, const SnapshotMeta& snapshot);

// DATA_LOSS, naming the folder of the member, when there is a gap between the newest snapshot and
// the log. `marker` is the snapshot that the log knows of, `entries` what entries_after left.
Status check_continuation(const std::filesystem::path& directory, const SnapshotMarker& marker,
                          const SnapshotMeta& newest, std::span<const Entry> entries);

}  // namespace swarm::raft
