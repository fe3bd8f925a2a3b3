#include "raft/replica/snapshot_receiver.h"

#include <utility>

#include "base/crc32c.h"
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

void SnapshotReceiver::begin(const SnapshotMeta& meta) {
  forget();
  sink_ = std::make_shared<Sink>();
  meta_ = meta;
}

// The sink ends on the log loop, in the order of what was posted there.
void SnapshotReceiver::forget() {
  log_loop_.post([old = std::exchange(sink_, nullptr)]() mutable { old.reset(); });
  sums_.clear();
}

// Whether the part continues what is on disk, or is part of it.
bool SnapshotReceiver::fits(const SnapshotPart& part) const {
  if (part.sequence < sums_.size()) {
    return part.crc == sums_[part.sequence];
  }
  return part.crc == crc32c(sums_.empty() ? 0 : sums_.back(), part.data);
}

void SnapshotReceiver::on_part(MemberId from, SnapshotPart part) {
  if (is_writing_) {
    return;  // it will be sent again
  }
  const bool is_same = sink_ != nullptr && part.meta == meta_;
  if (!is_same || (part.sequence <= sums_.size() && !fits(part))) {
    begin(part.meta);
  }
  if (part.sequence != sums_.size() || !fits(part)) {
    events_.reply(from, {part.term, part.meta.index, sums_.size()});
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
    forget();
    if (absl::IsResourceExhausted(status)) {
      log::error("the disk is full: a snapshot from the leader was refused",
                 {{"index", part.meta.index.value()}, {"reason", std::string(status.message())}});
    } else {
      events_.failed(status);
    }
    return;
  }
  sums_.push_back(part.crc);
  const SnapshotPartReply reply{part.term, part.meta.index, sums_.size()};
  if (part.ends_snapshot) {
    forget();
    events_.received(part.meta);
  }
  events_.reply(from, reply);
}

}  // namespace swarm::raft
