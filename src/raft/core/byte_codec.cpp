#include "raft/core/byte_codec.h"

namespace swarm::raft {

void ByteWriter::number(uint64_t value) {
  while (value >= 0x80) {
    bytes_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  bytes_.push_back(static_cast<char>(value));
}

void ByteWriter::text(std::string_view value) {
  number(value.size());
  bytes_.append(value);
}

uint64_t ByteReader::number() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !has_failed_; shift += 7) {
    if (rest_.empty()) {
      break;
    }
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) {
      break;
    }
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      return value;
    }
  }
  has_failed_ = true;
  return 0;
}

bool ByteReader::flag() {
  const uint64_t value = number();
  if (value > 1) {
    has_failed_ = true;
  }
  return value == 1;
}

std::string_view ByteReader::text() {
  const uint64_t size = number();
  if (has_failed_ || size > rest_.size()) {
    has_failed_ = true;
    return {};
  }
  const std::string_view value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

size_t ByteReader::count() {
  const uint64_t value = number();
  if (has_failed_ || value > rest_.size()) {
    has_failed_ = true;
    return 0;
  }
  return value;
}

Status ByteReader::finish(std::string_view what) const {
  if (has_failed_ || !rest_.empty()) {
    return absl::DataLossError(std::string(what) + " is malformed");
  }
  return absl::OkStatus();
}

void put_u32(std::string& bytes, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
}

void put_u64(std::string& bytes, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
}

uint32_t get_u32(std::string_view bytes, size_t offset) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
  }
  return value;
}

uint64_t get_u64(std::string_view bytes, size_t offset) {
  return get_u32(bytes, offset) | static_cast<uint64_t>(get_u32(bytes, offset + 4)) << 32;
}

}  // namespace swarm::raft
