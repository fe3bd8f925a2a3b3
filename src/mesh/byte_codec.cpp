#include "mesh/byte_codec.h"

#include "base/check.h"

namespace swarm::mesh {

void ByteWriter::put_u16(uint16_t value) {
  put_u8(static_cast<uint8_t>(value >> 8));
  put_u8(static_cast<uint8_t>(value));
}

void ByteWriter::put_u32(uint32_t value) {
  put_u16(static_cast<uint16_t>(value >> 16));
  put_u16(static_cast<uint16_t>(value));
}

void ByteWriter::put_u64(uint64_t value) {
  put_u32(static_cast<uint32_t>(value >> 32));
  put_u32(static_cast<uint32_t>(value));
}

void ByteWriter::put_string(std::string_view text) {
  SWARM_CHECK(text.size() <= UINT32_MAX, "a string of 4 GiB or more");
  put_u32(static_cast<uint32_t>(text.size()));
  bytes_.append(text);
}

std::string_view ByteReader::take(size_t size) {
  if (size > bytes_.size()) {
    is_good_ = false;
    bytes_ = {};
    return {};
  }
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

uint64_t ByteReader::number(size_t size) {
  uint64_t value = 0;
  for (const char c : take(size)) {
    value = value << 8 | static_cast<uint8_t>(c);
  }
  return value;
}

uint8_t ByteReader::u8() {
  return static_cast<uint8_t>(number(1));
}
uint16_t ByteReader::u16() {
  return static_cast<uint16_t>(number(2));
}
uint32_t ByteReader::u32() {
  return static_cast<uint32_t>(number(4));
}
uint64_t ByteReader::u64() {
  return number(8);
}

std::string ByteReader::string() {
  const uint32_t size = u32();
  return std::string(take(size));
}

uint32_t ByteReader::count(size_t min_size) {
  const uint32_t elements = u32();
  if (uint64_t{elements} * min_size > bytes_.size()) {
    is_good_ = false;
    return 0;
  }
  return elements;
}

}  // namespace swarm::mesh
