#include "raft/replica/log_writer.h"

#include <algorithm>
#include <utility>

#include "raft/core/mutants.h"

namespace swarm::raft {

LogWriter::LogWriter(EventLoop& loop, EventLoop& log_loop, std::shared_ptr<SegmentedLog> log,
                     Events events)
    : loop_(loop),
      log_loop_(log_loop),
      log_(std::move(log)),
      events_(std::move(events)),
      retry_(loop) {}

void LogWriter::submit(PersistOp op) {
  queue_.push_back(std::move(op));
  if (!is_writing_) {
    write_next();
  }
}

void LogWriter::refuse(std::string reason, absl::AnyInvocable<void(Status)> done) {
  auto report =
      anchor_.bind([done = std::move(done)](const Status& status) mutable { done(status); });
  log_loop_.post([&loop = loop_, log = log_, reason = std::move(reason),
                  report = std::move(report)]() mutable {
    loop.post(
        [report = std::move(report), status = log->refuse(reason)]() mutable { report(status); });
  });
}

void LogWriter::write_next() {
  is_writing_ = true;
  begun_ = loop_.now();
  write(std::make_shared<std::vector<PersistOp>>(std::exchange(queue_, {})));
}

void LogWriter::write(Group group) {
  auto done = anchor_.bind([this, group](const Status& status, bool lacks_room_ahead) {
    on_written(group, status, lacks_room_ahead);
  });
  log_loop_.post([&loop = loop_, log = log_, group, done = std::move(done)]() mutable {
    const Status status = log->append(*group);
    loop.post([done = std::move(done), status, lacks = log->lacks_room_ahead()]() mutable {
      done(status, lacks);
    });
  });
}

void LogWriter::on_written(const Group& group, const Status& status, bool lacks_room_ahead) {
  const bool is_full = absl::IsResourceExhausted(status);
  if (is_full && !SWARM_MUTANT(full_disk_ignored)) {
    if (!std::exchange(is_stalled_, true)) {
      events_.stalled(status);
    }
    retry_.set_after(kRetry, [this, group] { write(group); });
    return;
  }
  if (!status.ok() && !is_full) {
    events_.failed(status);
    return;
  }
  is_writing_ = false;
  events_.synced(loop_.now() - begun_);
  Index release_to;
  for (const PersistOp& op : *group) {
    release_to = std::max(release_to, op.release_to);
  }
  if (!release_to.is_empty()) {
    auto failed = anchor_.bind([this](const Status& error) { events_.failed(error); });
    log_loop_.post([&loop = loop_, log = log_, release_to, failed = std::move(failed)]() mutable {
      const Status released = log->release_until(release_to);
      if (!released.ok()) {
        loop.post([failed = std::move(failed), released]() mutable { failed(released); });
      }
    });
  }
  if (std::exchange(is_stalled_, false)) {
    events_.recovered();
  }
  const PersistOp& last = group->back();
  events_.persisted(last.seq, last.mark);
  if (!is_writing_ && !queue_.empty()) {
    write_next();
  }
  if (lacks_room_ahead) {
    prepare_ahead();
  }
}

// Room for the time to come is made between groups, a slice at a time.
void LogWriter::prepare_ahead() {
  if (is_preparing_ || is_writing_) {
    return;
  }
  is_preparing_ = true;
  auto done = anchor_.bind([this](const Result<bool>& more) {
    is_preparing_ = false;
    if (!more.ok() && !absl::IsResourceExhausted(more.status())) {
      events_.failed(more.status());
    } else if (more.ok() && *more) {
      prepare_ahead();
    }
  });
  log_loop_.post([&loop = loop_, log = log_, done = std::move(done)]() mutable {
    const Result<bool> more = log->prepare_ahead();
    loop.post([done = std::move(done), more]() mutable { done(more); });
  });
}

}  // namespace swarm::raft
