#include "base/check.h"
#include "raft/core/codec.h"

namespace swarm::raft {

namespace {

constexpr uint64_t kMessageVersion = 1;

void write(ByteWriter& writer, const AppendEntries& body) {
  writer.number(body.previous_index.value());
  writer.number(body.previous_term.value());
  writer.number(body.commit.value());
  write_entries(writer, body.entries);
}

void read(ByteReader& reader, AppendEntries& body) {
  body.previous_index = Index(reader.number());
  body.previous_term = Term(reader.number());
  body.commit = Index(reader.number());
  body.entries = read_entries(reader, after(body.previous_index));
}

void write(ByteWriter& writer, const AppendReply& body) {
  writer.flag(body.is_rejected);
  writer.number(body.index.value());
  writer.number(body.hint_index.value());
  writer.number(body.hint_term.value());
}

void read(ByteReader& reader, AppendReply& body) {
  body.is_rejected = reader.flag();
  body.index = Index(reader.number());
  body.hint_index = Index(reader.number());
  body.hint_term = Term(reader.number());
}

void write(ByteWriter& writer, const Heartbeat& body) {
  writer.number(body.commit.value());
  writer.number(body.read_position);
  writer.flag(body.wants_reply);
  writer.number(body.acknowledged.value());
  writer.number(body.acknowledged_term.value());
}

void read(ByteReader& reader, Heartbeat& body) {
  body.commit = Index(reader.number());
  body.read_position = reader.number();
  body.wants_reply = reader.flag();
  body.acknowledged = Index(reader.number());
  body.acknowledged_term = Term(reader.number());
}

void write(ByteWriter& writer, const HeartbeatReply& body) {
  writer.number(body.read_position);
}

void read(ByteReader& reader, HeartbeatReply& body) {
  body.read_position = reader.number();
}

void write(ByteWriter& writer, const VoteRequest& body) {
  writer.number(body.last_index.value());
  writer.number(body.last_term.value());
  writer.flag(body.is_pre_vote);
  writer.flag(body.is_transfer);
}

void read(ByteReader& reader, VoteRequest& body) {
  body.last_index = Index(reader.number());
  body.last_term = Term(reader.number());
  body.is_pre_vote = reader.flag();
  body.is_transfer = reader.flag();
}

void write(ByteWriter& writer, const VoteReply& body) {
  writer.flag(body.is_pre_vote);
  writer.flag(body.is_granted);
}

void read(ByteReader& reader, VoteReply& body) {
  body.is_pre_vote = reader.flag();
  body.is_granted = reader.flag();
}

void write(ByteWriter&, const TimeoutNow&) {}

void read(ByteReader&, TimeoutNow&) {}

void write(ByteWriter& writer, const SnapshotPart& body) {
  writer.text(encode(body.meta));
  writer.number(body.sequence);
  writer.number(body.crc);
  writer.flag(body.ends_chunk);
  writer.flag(body.ends_snapshot);
  writer.text(body.data);
}

void read(ByteReader& reader, SnapshotPart& body) {
  Result<SnapshotMeta> meta = decode_snapshot_meta(reader.text());
  if (meta.ok()) {
    body.meta = *std::move(meta);
  } else {
    reader.fail();
  }
  body.sequence = reader.number();
  body.crc = static_cast<uint32_t>(reader.number());
  body.ends_chunk = reader.flag();
  body.ends_snapshot = reader.flag();
  body.data = reader.text();
}

void write(ByteWriter& writer, const SnapshotPartReply& body) {
  writer.number(body.index.value());
  writer.number(body.next_sequence);
}

void read(ByteReader& reader, SnapshotPartReply& body) {
  body.index = Index(reader.number());
  body.next_sequence = reader.number();
}

void write(ByteWriter& writer, const ReadIndexRequest& body) {
  writer.number(body.context);
  writer.number(body.position);
}

void read(ByteReader& reader, ReadIndexRequest& body) {
  body.context = reader.number();
  body.position = reader.number();
}

void write(ByteWriter& writer, const ReadIndexReply& body) {
  writer.number(body.context);
  writer.number(body.position);
  writer.number(body.index.value());
}

void read(ByteReader& reader, ReadIndexReply& body) {
  body.context = reader.number();
  body.position = reader.number();
  body.index = Index(reader.number());
}

void write(ByteWriter& writer, const AddressAnnouncement& body) {
  writer.text(body.address);
}

void read(ByteReader& reader, AddressAnnouncement& body) {
  body.address = reader.text();
}

size_t estimate(const Message& message) {
  constexpr size_t kFixed = 64;
  if (const auto* const append = std::get_if<AppendEntries>(&message)) {
    size_t bytes = kFixed;
    for (const Entry& entry : append->entries) {
      bytes += entry.bytes();
    }
    return bytes;
  }
  if (const auto* const part = std::get_if<SnapshotPart>(&message)) {
    return kFixed + part->data.size();
  }
  return kFixed;
}

template <size_t Kind = 0>
Message make_message(size_t kind) {
  if constexpr (Kind + 1 < std::variant_size_v<Message>) {
    if (kind != Kind) {
      return make_message<Kind + 1>(kind);
    }
  }
  return Message(std::in_place_index<Kind>);
}

}  // namespace

std::string encode(const Message& message) {
  ByteWriter writer;
  writer.reserve(estimate(message));
  writer.number(kMessageVersion);
  writer.number(message.index());
  writer.number(term_of(message).value());
  std::visit([&writer](const auto& body) { write(writer, body); }, message);
  return writer.take();
}

Result<Message> decode_message(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint64_t version = reader.number();
  const uint64_t kind = reader.number();
  const Term term(reader.number());
  if (reader.has_failed() || version != kMessageVersion || kind >= std::variant_size_v<Message>) {
    return absl::DataLossError("a raft message is malformed or of another version");
  }
  Message message = make_message(kind);
  std::visit(
      [&](auto& body) {
        body.term = term;
        read(reader, body);
      },
      message);
  SWARM_RETURN_IF_ERROR(reader.finish("a raft message"));
  return message;
}

}  // namespace swarm::raft
