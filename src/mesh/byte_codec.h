#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::mesh {

// Appends fixed-width big-endian numbers and length-prefixed strings.
class ByteWriter {
 public:
  void put_u8(uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void put_u16(uint16_t value);
  void put_u32(uint32_t value);
  void put_u64(uint64_t value);
  void put_string(std::string_view text);

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what ByteWriter wrote. Reading past the end gives zeros and makes `is_good` false for good:
// check once, at the end. Strings are bounded by what is there, so no length can make it allocate.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  uint8_t u8();
  uint16_t u16();
  uint32_t u32();
  uint64_t u64();
  std::string string();
  // How many elements follow; each takes at least `min_size` bytes, so that a wrong count is seen
  // here.
  uint32_t count(size_t min_size);

  bool is_good() const { return is_good_; }
  // Everything was read, nothing was missing.
  bool is_complete() const { return is_good_ && bytes_.empty(); }

 private:
  std::string_view take(size_t size);
  uint64_t number(size_t size);

  std::string_view bytes_;
  bool is_good_ = true;
};

}  // namespace swarm::mesh
