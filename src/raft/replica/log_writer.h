#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/event_loop.h"
#include "raft/log/segmented_log.h"

namespace swarm::raft {

// Brings operations to the log: whatever queued up while one group was being synced becomes the
// next group, so the size of groups follows the speed of the disk. Lives on the raft loop; the log
// itself is touched on the log loop alone.
class LogWriter {
 public:
  struct Events {
    std::function<void(PersistSeq, LogMark)> persisted;
    std::function<void(Duration)> synced;  // how long a group took
    // A full disk, and its end. Meanwhile the group is tried again every kRetry.
    std::function<void(const Status&)> stalled;
    std::function<void()> recovered;
    std::function<void(const Status&)> failed;
  };
  static constexpr Duration kRetry = seconds(1);

  LogWriter(EventLoop& loop, EventLoop& log_loop, std::shared_ptr<SegmentedLog> log, Events events);

  void submit(PersistOp op);
  // Writes down that this member must not take part any more; `done` on the raft loop.
  void refuse(std::string reason, absl::AnyInvocable<void(Status)> done);
  bool is_writing() const { return is_writing_; }

 private:
  using Group = std::shared_ptr<std::vector<PersistOp>>;

  void write_next();
  void write(Group group);
  void on_written(const Group& group, const Status& status, bool lacks_room_ahead);
  void prepare_ahead();

  EventLoop& loop_;
  EventLoop& log_loop_;
  const std::shared_ptr<SegmentedLog> log_;
  const Events events_;
  std::vector<PersistOp> queue_;
  bool is_writing_ = false;
  TimePoint begun_{};
  bool is_preparing_ = false;
  bool is_stalled_ = false;
  Timer retry_;
  Anchor anchor_;
};

}  // namespace swarm::raft
