#include "raft/log/continuation.h"

#include <string>

#include "raft/log/log_scan.h"

namespace swarm::raft {

std::vector<Entry> entries_after(std::vector<Entry> entries, const SnapshotMeta& snapshot) {
  if (entries.empty() || entries.front().index > snapshot.index) {
    return entries;
  }
  const Index last = entries.back().index;
  const size_t at = snapshot.index.value() - entries.front().index.value();
  if (last <= snapshot.index || entries[at].term != snapshot.term) {
    return {};
  }
  entries.erase(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(at) + 1);
  return entries;
}

Status check_continuation(const std::filesystem::path& directory, const SnapshotMarker& marker,
                          const SnapshotMeta& newest, std::span<const Entry> entries) {
  const bool is_gap = !entries.empty() && entries.front().index != after(newest.index);
  if (marker.index <= newest.index && !is_gap) {
    return absl::OkStatus();
  }
  const std::string from = is_gap ? "entry " + std::to_string(entries.front().index.value())
                                  : "a snapshot at index " + std::to_string(marker.index.value());
  return absl::DataLossError(directory.string() + ": the log goes on from " + from +
                             ", the newest snapshot there is is at " +
                             std::to_string(newest.index.value()) + ". " + kDamageCure);
}

}  // namespace swarm::raft
