#include "raft/replica/snapshot_receiver.h"

#include <utility>

#include "base/log.h"

namespace swarm::raft {

struct SnapshotReceiver::Sink {
  Status write(FileSystem& files, const std::filesystem::path& directory, PayloadCipher& cipher,
               const SnapshotPart& part) {
    if (writer == nullptr) {
      SWARM_ASSIGN_OR_RETURN(writer, SnapshotWriter::create(files, directory, part.meta, cipher));
    }
    if (part.ends_snapshot) {
      return writer->finish();
    }
    chunk += part.data;
    if (part.ends_chunk) {
      return writer->append(std::exchange(chunk, {}));
    }
    return absl::OkStatus();
  }

  std::unique_ptr<SnapshotWriter> writer;
  std::string chunk;
};

SnapshotReceiver::SnapshotReceiver(EventLoop& loop, EventLoop& log_loop, FileSystem& files,
                                   std::filesystem::path directory, PayloadCipher& cipher,
                                   Events events)
    : loop_(loop),
      log_loop_(log_loop),
      files_(files),
      directory_(std::move(directory)),
      cipher_(cipher),
      events_(std::move(events)) {}

void SnapshotReceiver::begin(const SnapshotPart& part) {
  // The sink before it, if any, ends on the log loop, in the order of what was posted there.
  log_loop_.post([old = std::exchange(sink_, std::make_shared<Sink>())]() mutable { old.reset(); });
  meta_ = part.meta;
  term_ = part.term;
  next_sequence_ = 0;
}

void SnapshotReceiver::on_part(MemberId from, SnapshotPart part) {
  if (is_writing_) {
    return;  // it will be sent again
  }
  const bool is_same = sink_ != nullptr && part.term == term_ && part.meta == meta_;
  if (part.sequence == 0 && (!is_same || next_sequence_ != 1)) {
    begin(part);
  } else if (!is_same || part.sequence != next_sequence_) {
    const uint64_t next = is_same ? next_sequence_ : 0;
    events_.reply(from, {part.term, part.meta.index, next});
    return;
  }
  is_writing_ = true;
  auto shared = std::make_shared<const SnapshotPart>(std::move(part));
  auto done = anchor_.bind([this, from, sink = sink_, shared](const Status& status) {
    on_written(from, sink, *shared, status);
  });
  log_loop_.post([&loop = loop_, sink = sink_, shared, &files = files_, directory = directory_,
                  &cipher = cipher_, done = std::move(done)]() mutable {
    const Status status = sink->write(files, directory, cipher, *shared);
    loop.post([done = std::move(done), status]() mutable { done(status); });
  });
}

void SnapshotReceiver::on_written(MemberId from, const std::shared_ptr<Sink>& sink,
                                  const SnapshotPart& part, const Status& status) {
  is_writing_ = false;
  if (sink != sink_) {
    return;
  }
  if (!status.ok()) {
    sink_.reset();
    if (absl::IsResourceExhausted(status)) {
      log::error("the disk is full: a snapshot from the leader was refused",
                 {{"index", part.meta.index.value()}, {"reason", std::string(status.message())}});
    } else {
      events_.failed(status);
    }
    return;
  }
  ++next_sequence_;
  const SnapshotPartReply reply{part.term, part.meta.index, next_sequence_};
  if (part.ends_snapshot) {
    sink_.reset();
    events_.received(part.meta);
  }
  events_.reply(from, reply);
}

}  // namespace swarm::raft
