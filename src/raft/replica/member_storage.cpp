#include "raft/replica/member_storage.h"

#include <algorithm>

#include "raft/core/codec.h"
#include "raft/core/mutants.h"
#include "raft/log/continuation.h"
#include "raft/log/log_scan.h"
#include "raft/log/snapshot_file.h"

namespace swarm::raft {

namespace {

Result<SnapshotMeta> newest_snapshot(FileSystem& files, const std::filesystem::path& directory,
                                     PayloadCipher& cipher) {
  SWARM_RETURN_IF_ERROR(files.make_directories(directory));
  SWARM_ASSIGN_OR_RETURN(const std::vector<std::filesystem::path> paths,
                         list_snapshots(files, directory));
  if (paths.empty()) {
    return SnapshotMeta{};
  }
  // Whoever gave the newest its name may have been killed before the name was durable.
  SWARM_RETURN_IF_ERROR(files.sync_directory(directory));
  SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotReader> reader,
                         SnapshotReader::open(files, paths.front(), cipher));
  while (true) {
    SWARM_ASSIGN_OR_RETURN(const std::optional<std::string> chunk, reader->next());
    if (!chunk) {
      return reader->meta();
    }
  }
}

// What was committed was durable here before.
Status check_kept(const StorageOptions& options, const InitialState& state,
                  const std::optional<Promises>& promises) {
  const Index last = state.entries.empty() ? state.snapshot.index : state.entries.back().index;
  const bool is_missing = options.has_taken_part && !promises && last.is_empty();
  const bool is_older = promises && last < promises->hard_state.commit;
  if ((!is_missing && !is_older) || SWARM_MUTANT(lost_state_ignored)) {
    return absl::OkStatus();
  }
  return absl::DataLossError(options.directory.string() + ": " +
                             (is_missing ? std::string("the raft log is missing")
                                         : "the raft log is an older copy: it ends at entry " +
                                               std::to_string(last.value()) + ", entry " +
                                               std::to_string(promises->hard_state.commit.value()) +
                                               " was committed") +
                             ". " + kDamageCure);
}

Result<MemberStorage> open_storage(const StorageOptions& options, FileSystem& files,
                                   PayloadCipher& cipher, Random random) {
  const std::filesystem::path& directory = options.directory;
  MemberStorage storage;
  storage.snapshots = directory / "snapshots";
  SWARM_ASSIGN_OR_RETURN(SegmentedLog::Opened opened,
                         SegmentedLog::open({directory / "log", options.segment_bytes,
                                             options.promises, options.member},
                                            files, cipher, std::move(random)));
  storage.log = std::move(opened.log);
  InitialState& state = storage.state;
  SWARM_ASSIGN_OR_RETURN(state.snapshot, newest_snapshot(files, storage.snapshots, cipher));
  state.hard_state = opened.contents.hard_state;
  state.entries = entries_after(std::move(opened.contents.entries), state.snapshot);
  const SnapshotMarker& marker = opened.contents.snapshot;
  SWARM_RETURN_IF_ERROR(check_continuation(directory, marker, state.snapshot, state.entries));
  SWARM_RETURN_IF_ERROR(check_kept(options, state, opened.promises));
  if (marker.index == state.snapshot.index) {
    return storage;
  }
  // The crash came between the snapshot file and its marker.
  PersistOp op;
  op.snapshot = SnapshotMarker{state.snapshot.index, state.snapshot.term, state.entries.empty()};
  if (state.hard_state.term < state.snapshot.term) {
    // No vote of that term can have left this member: votes are durable first.
    state.hard_state = {state.snapshot.term, MemberId(), state.hard_state.commit};
    op.hard_state = state.hard_state;
  }
  SWARM_RETURN_IF_ERROR(storage.log->append({&op, 1}));
  return storage;
}

}  // namespace

Result<MemberStorage> open_member_storage(const StorageOptions& options, FileSystem& files,
                                          PayloadCipher& cipher, Random random) {
  Result<MemberStorage> storage = open_storage(options, files, cipher, std::move(random));
  const Status& status = storage.status();
  // A file where a folder should be, or the other way round, or a link that leads nowhere: whatever
  // was there is lost. A disk that is full or does not answer may be well tomorrow.
  if (absl::IsNotFound(status) || absl::IsFailedPrecondition(status)) {
    return absl::DataLossError(options.directory.string() + ": the raft log is gone: " +
                               std::string(status.message()) + ". " + kDamageCure);
  }
  return storage;
}

Status bootstrap_member(MemberStorage& storage, MemberId self, const std::string& address) {
  if (!storage.is_empty() || !storage.state.snapshot.index.is_empty()) {
    return absl::FailedPreconditionError("this member is in a group already");
  }
  Configuration configuration;
  configuration.members.push_back(Member{self, address, false});
  PersistOp op;
  op.hard_state = HardState{Term(1), MemberId(), Index(1)};
  op.entries.push_back(Entry{Term(1), Index(1), EntryKind::membership,
                             std::make_shared<const std::string>(encode(configuration))});
  SWARM_RETURN_IF_ERROR(storage.log->append({&op, 1}));
  storage.state.hard_state = *op.hard_state;
  storage.state.entries = std::move(op.entries);
  return absl::OkStatus();
}

Status force_alone(MemberStorage& storage, MemberId self, const std::string& address) {
  InitialState& state = storage.state;
  const RaftLog log(state.snapshot, state.entries);
  const Configuration& before = log.configurations().latest();
  if (before.find(self) == nullptr) {
    return absl::FailedPreconditionError("this manager is not in the group it should lead alone");
  }
  Configuration alone;
  alone.members.push_back(Member{self, address, false});
  alone.removed = before.removed;
  const auto add_removed = [&](const std::vector<Member>& members) {
    for (const Member& member : members) {
      if (member.id != self) {
        alone.removed.push_back(member.id);
      }
    }
  };
  add_removed(before.members);
  add_removed(before.outgoing);
  std::sort(alone.removed.begin(), alone.removed.end());
  alone.removed.erase(std::unique(alone.removed.begin(), alone.removed.end()), alone.removed.end());

  const Term term = after(std::max(state.hard_state.term, log.last_term()));
  PersistOp op;
  op.hard_state = HardState{term, self, state.hard_state.commit};
  op.mark = LogMark{term, after(log.last())};
  op.entries.push_back(Entry{term, after(log.last()), EntryKind::membership,
                             std::make_shared<const std::string>(encode(alone))});
  SWARM_RETURN_IF_ERROR(storage.log->append({&op, 1}));
  state.hard_state = *op.hard_state;
  state.entries.push_back(std::move(op.entries.front()));
  return absl::OkStatus();
}

Status seed_snapshot(const std::filesystem::path& directory, FileSystem& files,
                     PayloadCipher& cipher, const SnapshotMeta& meta,
                     const std::vector<std::string>& chunks) {
  SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<SnapshotWriter> writer,
                         SnapshotWriter::create(files, directory / "snapshots", meta, cipher));
  for (const std::string& chunk : chunks) {
    SWARM_RETURN_IF_ERROR(writer->append(chunk));
  }
  return writer->finish();
}

}  // namespace swarm::raft
