#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/event_loop.h"
#include "base/file_system.h"
#include "raft/core/configuration.h"
#include "raft/log/payload_cipher.h"
#include "raft/log/snapshot_file.h"
#include "raft/replica/state_machine.h"

namespace swarm::raft {

// Writes the state machine's state to a snapshot file, a chunk at a time between the groups of the
// log. One at a time. Lives on the raft loop, writes on the log loop.
class SnapshotTaker {
 public:
  using DescribeIndex = std::function<std::optional<SnapshotMeta>(Index)>;
  struct Taken {
    SnapshotMeta meta;
    uint64_t bytes = 0;
  };
  using Done = std::function<void(Result<Taken>)>;

  SnapshotTaker(EventLoop& loop, EventLoop& log_loop, FileSystem& files,
                std::filesystem::path directory, PayloadCipher& cipher, StateMachine& machine);

  bool is_taking() const { return is_taking_; }
  // The state machine has not said yet at which index.
  bool is_choosing() const { return is_choosing_; }
  // `describe` says what the log knows of the index that the state machine chooses, or nothing when
  // a leader's snapshot overtook it. A failure is harmless: the log stays longer.
  void take(Index at_least, DescribeIndex describe, Done done);

 private:
  struct Job;

  void write(SnapshotMeta meta, StateMachine::SnapshotSource source, Done done);

  EventLoop& loop_;
  EventLoop& log_loop_;
  FileSystem& files_;
  const std::filesystem::path directory_;
  PayloadCipher& cipher_;
  StateMachine& machine_;
  bool is_taking_ = false;
  bool is_choosing_ = false;
  Anchor anchor_;
};

}  // namespace swarm::raft
