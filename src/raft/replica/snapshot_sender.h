#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/event_loop.h"
#include "base/file_system.h"
#include "raft/core/messages.h"
#include "raft/log/payload_cipher.h"

namespace swarm::raft {

// Streams the newest snapshot to members that need one: one part on its way at a time, each
// answered before the next, so a slow receiver sets the pace and a snapshot never fills a queue.
// All transfers together stay under a rate. The receiver says where to go on, so a transfer that
// broke off, or that another leader began with the same snapshot, is resumed.
// Lives on the raft loop, reads on the log loop.
class SnapshotSender {
 public:
  struct Events {
    std::function<void(MemberId, const SnapshotPart&)> send;
    // Sent, or given up: go on with entries, and find out.
    std::function<void(MemberId)> ended;
  };
  static constexpr size_t kPartBytes = 512 << 10;
  static constexpr int kResendTicks = 4;
  static constexpr int kGiveUpTicks = 100;

  SnapshotSender(EventLoop& loop, EventLoop& log_loop, FileSystem& files,
                 std::filesystem::path directory, PayloadCipher& cipher, uint64_t bytes_per_second,
                 Events events);

  // A transfer that was given up goes on if its snapshot is not older than `oldest_useful`.
  void start(MemberId to, Term term, Index oldest_useful);
  void on_reply(MemberId from, const SnapshotPartReply& reply);
  void tick();
  // No longer a member.
  void forget(MemberId member) { sessions_.erase(member); }
  // No longer the leader.
  void stop_all() { sessions_.clear(); }

 private:
  struct Cursor;  // on the log loop
  struct Session {
    Session(EventLoop& loop, Term of);

    Term term;
    std::shared_ptr<Cursor> cursor;
    Index index;                          // of the snapshot, once it is known
    std::optional<SnapshotPart> current;  // to be answered; nothing while it is read
    uint64_t wanted = 0;                  // parts before this one are not sent
    int ticks_waiting = 0;
    int ticks_silent = 0;
    bool is_given_up = false;
    Timer pace;  // set: `current` waits until the rate allows it
  };

  void fetch(MemberId to, Session& session);
  void on_fetched(MemberId to, const std::shared_ptr<Cursor>& cursor, Result<SnapshotPart> part);
  void go_on_from(MemberId to, Session& session, uint64_t sequence);
  void send(MemberId to, Session& session);
  void end(MemberId to);

  EventLoop& loop_;
  EventLoop& log_loop_;
  FileSystem& files_;
  const std::filesystem::path directory_;
  PayloadCipher& cipher_;
  const uint64_t bytes_per_second_;
  const Events events_;
  std::map<MemberId, Session> sessions_;
  TimePoint next_send_{};  // of anything, as the rate allows
  Anchor anchor_;
};

}  // namespace swarm::raft
