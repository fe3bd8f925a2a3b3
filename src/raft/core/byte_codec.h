#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace swarm::raft {

// Writes values one after the other: numbers as LEB128, strings with their length before them.
class ByteWriter {
 public:
  void number(uint64_t value);
  void flag(bool value) { number(value ? 1 : 0); }
  void text(std::string_view value);
  void reserve(size_t bytes) { bytes_.reserve(bytes); }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what ByteWriter wrote, or anything else without harm: after the first value that does not
// fit every read gives nothing, and `finish` says so. Borrows the bytes.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint64_t number();
  bool flag();
  std::string_view text();
  // How many items follow. Bounded by the bytes left, of which each item takes at least one, so it
  // is safe to reserve room for them.
  size_t count();
  void fail() { has_failed_ = true; }

  bool has_failed() const { return has_failed_; }
  // OK when everything was read and nothing is left; DATA_LOSS naming `what` otherwise.
  Status finish(std::string_view what) const;

 private:
  std::string_view rest_;
  bool has_failed_ = false;
};

// Fixed-width little-endian numbers, for headers on disk.
void put_u32(std::string& bytes, uint32_t value);
void put_u64(std::string& bytes, uint64_t value);
// `bytes` holds at least 4 (8) from `offset` on.
uint32_t get_u32(std::string_view bytes, size_t offset);
uint64_t get_u64(std::string_view bytes, size_t offset);

}  // namespace swarm::raft
