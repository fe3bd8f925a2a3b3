#pragma once

#include <functional>
#include <map>

#include "base/event_loop.h"
#include "raft/core/messages.h"

namespace swarm::raft {

// Word of a new commit index is on its way for a moment before it leaves: whatever else goes to the
// same member tells it as well, and under writes something nearly always does. A message of its own
// for each commit would cost every manager as much as a small write.
//
// A leader that stops leading in between still sends it: a late message, as the network has them.
// On the raft loop.
class CommitNotices {
 public:
  // How much later a follower applies what was committed last.
  static constexpr Duration kDelay = milliseconds(5);

  CommitNotices(EventLoop& loop, std::function<void(const Envelope&)> send)
      : send_(std::move(send)), timer_(loop) {}

  // Everything that is to be sent comes through here.
  void send(const Envelope& envelope);

 private:
  void send_waiting();

  const std::function<void(const Envelope&)> send_;
  std::map<MemberId, Heartbeat> waiting_;
  Timer timer_;
};

}  // namespace swarm::raft
