#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "base/event_loop.h"
#include "base/file_system.h"
#include "raft/core/effects.h"
#include "raft/log/payload_cipher.h"
#include "raft/log/snapshot_file.h"

namespace swarm::raft {

// Writes a leader's snapshot beside the one this member has. A part is answered when it is on disk.
// What is there stays when the leader changes: another leader's parts of the same snapshot go on
// from it, unless their sums show that it is not the same after all.
// Lives on the raft loop, writes on the log loop.
class SnapshotReceiver {
 public:
  struct Events {
    std::function<void(MemberId, SnapshotPartReply)> reply;
    // Whole and durable. The last part is answered after this.
    std::function<void(const SnapshotMeta&)> received;
    std::function<void(const Status&)> failed;
  };

  SnapshotReceiver(EventLoop& loop, EventLoop& log_loop, FileSystem& files,
                   std::filesystem::path directory, PayloadCipher& cipher, Events events);

  void on_part(MemberId from, SnapshotPart part);

 private:
  struct Sink;  // on the log loop

  void begin(const SnapshotMeta& meta);
  void forget();
  bool fits(const SnapshotPart& part) const;
  void on_written(MemberId from, const std::shared_ptr<Sink>& sink, const SnapshotPart& part,
                  const Status& status);

  EventLoop& loop_;
  EventLoop& log_loop_;
  FileSystem& files_;
  const std::filesystem::path directory_;
  PayloadCipher& cipher_;
  const Events events_;

  std::shared_ptr<Sink> sink_;  // null: nothing is being received
  SnapshotMeta meta_;
  std::vector<uint32_t> sums_;  // SnapshotPart::crc of the parts that are on disk
  bool is_writing_ = false;
  Anchor anchor_;
};

}  // namespace swarm::raft
