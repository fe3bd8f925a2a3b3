#include "raft/log/record.h"

#include "base/crc32c.h"
#include "raft/core/byte_codec.h"

namespace swarm::raft {

namespace {

constexpr std::string_view kMagic = "SWRMLOG3";
constexpr size_t kSegmentHeaderSize = 48;  // used of SegmentHeader::kBytes

}  // namespace

std::string encode(const SegmentHeader& header) {
  std::string bytes(kMagic);
  put_u64(bytes, header.number);
  put_u64(bytes, header.epoch);
  put_u64(bytes, header.file_bytes);
  put_u32(bytes, header.previous_crc);
  put_u64(bytes, header.log);
  put_u32(bytes, crc32c(0, bytes));
  bytes.resize(SegmentHeader::kBytes, '\0');
  return bytes;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < SegmentHeader::kBytes || !bytes.starts_with(kMagic) ||
      crc32c(0, bytes.substr(0, kSegmentHeaderSize - 4)) !=
          get_u32(bytes, kSegmentHeaderSize - 4)) {
    return absl::DataLossError("the segment header is damaged");
  }
  const SegmentHeader header{get_u64(bytes, 8), get_u64(bytes, 16), get_u64(bytes, 24),
                             get_u32(bytes, 32), get_u64(bytes, 36)};
  if (header.number == 0) {
    return absl::DataLossError("there is no segment 0");
  }
  if (header.log == 0) {
    return absl::DataLossError("the segment names no log");
  }
  return header;
}

uint32_t append_record(std::string& bytes, const SegmentHeader& segment, RecordType type,
                       uint32_t previous_crc, uint32_t group_start, std::string_view payload) {
  const size_t start = bytes.size();
  put_u32(bytes, 0);  // the checksum, below
  put_u32(bytes, previous_crc);
  put_u64(bytes, segment.epoch);
  put_u32(bytes, group_start);
  put_u32(bytes, static_cast<uint32_t>(payload.size()));
  put_u64(bytes, static_cast<uint64_t>(type));
  bytes.append(payload);
  bytes.resize(start + Record::framed_size(payload.size()), '\0');
  const uint32_t crc = crc32c(0, std::string_view(bytes).substr(start + 4));
  std::string encoded;
  put_u32(encoded, crc);
  bytes.replace(start, 4, encoded);
  return crc;
}

std::optional<Record> parse_record(std::string_view segment, size_t offset, uint64_t epoch) {
  if (offset > segment.size() || segment.size() - offset < Record::kHeaderBytes ||
      get_u64(segment, offset + 8) != epoch) {
    return std::nullopt;
  }
  const size_t length = get_u32(segment, offset + 20);
  const size_t size = Record::framed_size(length);
  if (size > segment.size() - offset) {
    return std::nullopt;
  }
  Record record;
  record.crc = get_u32(segment, offset);
  if (crc32c(0, segment.substr(offset + 4, size - 4)) != record.crc) {
    return std::nullopt;
  }
  record.previous_crc = get_u32(segment, offset + 4);
  record.group_start = get_u32(segment, offset + 16);
  const uint64_t type = get_u64(segment, offset + 24);
  if (type != static_cast<uint64_t>(RecordType::state) &&
      type != static_cast<uint64_t>(RecordType::entries)) {
    return std::nullopt;
  }
  record.type = static_cast<RecordType>(type);
  record.payload = segment.substr(offset + Record::kHeaderBytes, length);
  return record;
}

std::string encode(const StateRecord& state) {
  ByteWriter writer;
  writer.number(state.hard_state.term.value());
  writer.number(state.hard_state.vote.value());
  writer.number(state.hard_state.commit.value());
  writer.number(state.snapshot.index.value());
  writer.number(state.snapshot.term.value());
  writer.flag(state.snapshot.resets_log);
  return writer.take();
}

Result<StateRecord> decode_state_record(std::string_view payload) {
  ByteReader reader(payload);
  StateRecord state;
  state.hard_state.term = Term(reader.number());
  state.hard_state.vote = MemberId(reader.number());
  state.hard_state.commit = Index(reader.number());
  state.snapshot.index = Index(reader.number());
  state.snapshot.term = Term(reader.number());
  state.snapshot.resets_log = reader.flag();
  SWARM_RETURN_IF_ERROR(reader.finish("a state record"));
  return state;
}

}  // namespace swarm::raft
