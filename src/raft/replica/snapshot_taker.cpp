#include "raft/replica/snapshot_taker.h"

#include <utility>

namespace swarm::raft {

// One snapshot being written; on the log loop once it is begun.
struct SnapshotTaker::Job : std::enable_shared_from_this<Job> {
  Job(EventLoop& raft_loop, EventLoop& writing_loop) : loop(raft_loop), log_loop(writing_loop) {}

  void begin(FileSystem& files, const std::filesystem::path& directory, PayloadCipher& cipher) {
    Result<std::unique_ptr<SnapshotWriter>> created =
        SnapshotWriter::create(files, directory, meta, cipher);
    if (!created.ok()) {
      finish(created.status());
      return;
    }
    writer = *std::move(created);
    write_chunk();
  }

  void write_chunk() {
    const std::string chunk = source();
    if (chunk.empty()) {
      finish(writer->finish());
      return;
    }
    bytes += chunk.size();
    const Status written = writer->append(chunk);
    if (!written.ok()) {
      finish(written);
      return;
    }
    log_loop.post([self = shared_from_this()] { self->write_chunk(); });
  }

  void finish(const Status& status) {
    writer.reset();
    source = nullptr;
    Result<Taken> result = status.ok() ? Result<Taken>(Taken{meta, bytes}) : status;
    loop.post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }

  EventLoop& loop;
  EventLoop& log_loop;
  SnapshotMeta meta;
  StateMachine::SnapshotSource source;
  absl::AnyInvocable<void(Result<Taken>)> done;
  uint64_t bytes = 0;
  std::unique_ptr<SnapshotWriter> writer;
};

SnapshotTaker::SnapshotTaker(EventLoop& loop, EventLoop& log_loop, FileSystem& files,
                             std::filesystem::path directory, PayloadCipher& cipher,
                             StateMachine& machine)
    : loop_(loop),
      log_loop_(log_loop),
      files_(files),
      directory_(std::move(directory)),
      cipher_(cipher),
      machine_(machine) {}

void SnapshotTaker::take(Index at_least, DescribeIndex describe, Done done) {
  is_taking_ = is_choosing_ = true;
  auto write_it = anchor_.bind([this, describe = std::move(describe), done = std::move(done)](
                                   Index index, StateMachine::SnapshotSource source) {
    is_choosing_ = false;
    std::optional<SnapshotMeta> meta = describe(index);
    if (!meta) {
      is_taking_ = false;
      done(absl::AbortedError("a newer snapshot came from the leader"));
      return;
    }
    write(*std::move(meta), std::move(source), done);
  });
  // The machine may answer on a loop of its own.
  machine_.take_snapshot(at_least, [&loop = loop_, write_it = std::move(write_it)](
                                       Index index, StateMachine::SnapshotSource source) mutable {
    loop.post([write_it = std::move(write_it), index, source = std::move(source)]() mutable {
      write_it(index, std::move(source));
    });
  });
}

void SnapshotTaker::write(SnapshotMeta meta, StateMachine::SnapshotSource source, Done done) {
  auto job = std::make_shared<Job>(loop_, log_loop_);
  job->meta = std::move(meta);
  job->source = std::move(source);
  job->done = anchor_.bind([this, done = std::move(done)](Result<Taken> result) {
    is_taking_ = false;
    done(std::move(result));
  });
  log_loop_.post([job, &files = files_, directory = directory_, &cipher = cipher_] {
    job->begin(files, directory, cipher);
  });
}

}  // namespace swarm::raft
