#include "raft/replica/snapshot_sender.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
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
    part.sequence = sequence++;
    part.crc = crc;
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
    part.crc = crc = crc32c(crc, part.data);
    return part;
  }

  std::unique_ptr<SnapshotReader> reader;
  std::string chunk;
  size_t offset = 0;
  uint64_t sequence = 0;
  uint32_t crc = 0;
};

SnapshotSender::Session::Session(EventLoop& loop, Term of)
    : term(of), cursor(std::make_shared<Cursor>()), pace(loop) {}

SnapshotSender::SnapshotSender(EventLoop& loop, EventLoop& log_loop, FileSystem& files,
                               std::filesystem::path directory, PayloadCipher& cipher,
                               uint64_t bytes_per_second, Events events)
    : loop_(loop),
      log_loop_(log_loop),
      files_(files),
      directory_(std::move(directory)),
      cipher_(cipher),
      bytes_per_second_(bytes_per_second),
      events_(std::move(events)) {}

void SnapshotSender::start(MemberId to, Term term, Index oldest_useful) {
  const auto found = sessions_.find(to);
  if (found != sessions_.end() && found->second.is_given_up && found->second.current &&
      found->second.index >= oldest_useful) {
    Session& session = found->second;
    session.is_given_up = false;
    session.ticks_silent = 0;
    session.term = session.current->term = term;
    send(to, session);
    return;
  }
  sessions_.erase(to);
  fetch(to, sessions_.try_emplace(to, loop_, term).first->second);
}

void SnapshotSender::fetch(MemberId to, Session& session) {
  session.current.reset();
  session.pace.cancel();
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
  if (part->sequence < session.wanted && !part->ends_snapshot) {
    fetch(to, session);  // the receiver has it
    return;
  }
  part->term = session.term;
  session.current = *std::move(part);
  send(to, session);
}

// Now, or when the rate allows it.
void SnapshotSender::send(MemberId to, Session& session) {
  const TimePoint now = loop_.now();
  if (now < next_send_) {
    session.pace.set_at(next_send_, [this, to, &session] { send(to, session); });
    return;
  }
  const uint64_t nanoseconds = session.current->data.size() * 1'000'000'000 / bytes_per_second_;
  next_send_ = now + Duration(nanoseconds);
  session.ticks_waiting = 0;
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
  if (reply.next_sequence == current.sequence) {
    return;  // it did not take this part: it is sent again
  }
  if (current.ends_snapshot && reply.next_sequence > current.sequence) {
    end(from);
    return;
  }
  go_on_from(from, session, reply.next_sequence);
}

// Behind the current part when the receiver has more than that from before, at an earlier one when
// it lost what it had.
void SnapshotSender::go_on_from(MemberId to, Session& session, uint64_t sequence) {
  if (sequence < session.current->sequence) {
    session.cursor = std::make_shared<Cursor>();
  }
  session.wanted = sequence;
  fetch(to, session);
}

void SnapshotSender::tick() {
  std::vector<MemberId> given_up;
  for (auto& [to, session] : sessions_) {
    if (!session.current || session.is_given_up || session.pace.is_set()) {
      continue;
    }
    if (++session.ticks_silent >= kGiveUpTicks) {
      given_up.push_back(to);
    } else if (++session.ticks_waiting >= kResendTicks) {
      send(to, session);
    }
  }
  for (const MemberId to : given_up) {
    sessions_.at(to).is_given_up = true;  // for now: the file stays open
    events_.ended(to);
  }
}

void SnapshotSender::end(MemberId to) {
  sessions_.erase(to);
  events_.ended(to);
}

}  // namespace swarm::raft
