#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "raft/core/raft_core.h"
#include "raft/log/payload_cipher.h"
#include "raft/log/segmented_log.h"

namespace swarm::raft {

// The durable state of a member: a folder with its log and its snapshots.
struct StorageOptions {
  std::filesystem::path directory;
  uint64_t segment_bytes = 8 << 20;
  MemberId member;
  // Beside the folder, to tell at a start whether it is still the one it was (promise_file.h);
  // empty: nobody can tell.
  std::filesystem::path promises{};
  // This member took part before: an empty folder is a lost one.
  bool has_taken_part = false;
};

struct MemberStorage {
  std::unique_ptr<SegmentedLog> log;
  InitialState state;
  std::filesystem::path snapshots;  // their directory

  bool is_empty() const { return state.hard_state == HardState{} && state.entries.empty(); }
};

// Reads both and makes them agree: after a crash between writing a snapshot and noting it in the
// log, the snapshot wins. DATA_LOSS when either is damaged, when the log goes on from a snapshot
// that is not there, and when they are less than this member promised to keep.
Result<MemberStorage> open_member_storage(const StorageOptions& options, FileSystem& files,
                                          PayloadCipher& cipher, Random random);

// Writes the first entry of a new group, which makes `self` its only member, and gives the state
// that holds it. FAILED_PRECONDITION unless the storage is empty.
Status bootstrap_member(MemberStorage& storage, MemberId self, const std::string& address);

// Appends an entry, of a later term than any this member knows, that makes `self` the only member:
// for a group that lost its quorum for good. Everything in the log counts as committed by that,
// also what the group may never have agreed on; what only the others had is lost. Their ids are
// removed ones from now on. FAILED_PRECONDITION when `self` is in no group.
Status force_alone(MemberStorage& storage, MemberId self, const std::string& address);

// The snapshot that a new group of one begins with, as if its member had taken it; before the
// storage is opened for the first time. The chunks are the state machine's.
Status seed_snapshot(const std::filesystem::path& directory, FileSystem& files,
                     PayloadCipher& cipher, const SnapshotMeta& meta,
                     const std::vector<std::string>& chunks);

}  // namespace swarm::raft
