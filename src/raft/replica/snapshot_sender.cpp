#include "raft/replica/snapshot_sender.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "raft/log/snapshot_file.h"

namespace swarm::raft {

// Where the reading of one snapshot for one member stands.
struct SnapshotSender::Cursor {
  Result<SnapshotPart> next(FileSystem& files, const std::filesystem::path& directory,
                            PayloadCipher& cipher) {
    if (reader == nullptr) {
      SWARM_ASSIGN_OR_RETURN(const std::vector<std::filesystem::path> paths,
                             list_snapshots(files, directory));
      if (paths.empty()) {
        return absl::NotFoundError("there is no snapshot in " + directory.string());
      }
      SWARM_ASSIGN_OR_RETURN(reader, SnapshotReader::open(files, paths.front(), cipher));
    }
    SnapshotPart part;
    part.meta = reader->meta();
    if (offset == chunk.size()) {
      SWARM_ASSIGN_OR_RETURN(std::optional<std::string> read, reader->next());
      offset = 0;
      if (!read) {
        part.ends_snapshot = true;
        return part;
      }
      chunk = *std::move(read);
    }
    part.data = chunk.substr(offset, kPartBytes);
    offset += part.data.size();
    part.ends_chunk = offset == chunk.size();
    return part;
  }

  std::unique_ptr<SnapshotReader> reader;
  std::string chunk;
  size_t offset = 0;
};

SnapshotSender::SnapshotSender(EventLoop& loop, EventLoop& log_loop, FileSystem& files,
                               std::filesystem::path directory, PayloadCipher& cipher,
                               Events events)
    : loop_(loop),
      log_loop_(log_loop),
      files_(files),
      directory_(std::move(directory)),
      cipher_(cipher),
      events_(std::move(events)) {}

void SnapshotSender::start(MemberId to, Term term) {
  Session& session = sessions_[to] = Session{};
  session.term = term;
  session.cursor = std::make_shared<Cursor>();
  fetch(to, session);
}

void SnapshotSender::fetch(MemberId to, Session& session) {
  session.current.reset();
  auto done = anchor_.bind([this, to, cursor = session.cursor](Result<SnapshotPart> part) {
    on_fetched(to, cursor, std::move(part));
  });
  log_loop_.post([&loop = loop_, cursor = session.cursor, &files = files_, directory = directory_,
                  &cipher = cipher_, done = std::move(done)]() mutable {
    Result<SnapshotPart> part = cursor->next(files, directory, cipher);
    loop.post(
        [done = std::move(done), part = std::move(part)]() mutable { done(std::move(part)); });
  });
}

void SnapshotSender::on_fetched(MemberId to, const std::shared_ptr<Cursor>& cursor,
                                Result<SnapshotPart> part) {
  const auto found = sessions_.find(to);
  if (found == sessions_.end() || found->second.cursor != cursor) {
    return;
  }
  if (!part.ok()) {
    log::error("a snapshot could not be read to be sent",
               {{"member", to.value()}, {"reason", std::string(part.status().message())}});
    end(to);
    return;
  }
  Session& session = found->second;
  session.index = part->meta.index;
  part->term = session.term;
  part->sequence = session.next_sequence;
  session.ticks_waiting = 0;
  session.current = *std::move(part);
  events_.send(to, *session.current);
}

void SnapshotSender::on_reply(MemberId from, const SnapshotPartReply& reply) {
  const auto found = sessions_.find(from);
  if (found == sessions_.end() || !found->second.current) {
    return;
  }
  Session& session = found->second;
  const SnapshotPart& current = *session.current;
  if (reply.term != session.term || reply.index != current.meta.index) {
    return;
  }
  session.ticks_silent = 0;
  if (reply.next_sequence < current.sequence) {
    start(from, session.term);  // the receiver restarted and lost what it had
  } else if (reply.next_sequence == current.sequence + 1) {
    if (current.ends_snapshot) {
      end(from);
      return;
    }
    ++session.next_sequence;
    fetch(from, session);
  }
}

std::optional<Index> SnapshotSender::oldest() const {
  std::optional<Index> oldest;
  for (const auto& [to, session] : sessions_) {
    oldest = oldest ? std::min(*oldest, session.index) : session.index;
  }
  return oldest;
}

void SnapshotSender::tick() {
  std::vector<MemberId> given_up;
  for (auto& [to, session] : sessions_) {
    if (!session.current) {
      continue;
    }
    if (++session.ticks_silent >= kGiveUpTicks) {
      given_up.push_back(to);
    } else if (++session.ticks_waiting >= kResendTicks) {
      session.ticks_waiting = 0;
      events_.send(to, *session.current);
    }
  }
  for (const MemberId to : given_up) {
    end(to);
  }
}

void SnapshotSender::end(MemberId to) {
  sessions_.erase(to);
  events_.ended(to);
}

}  // namespace swarm::raft
