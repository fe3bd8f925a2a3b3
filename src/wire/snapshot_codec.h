#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/change_set.h"

namespace google::protobuf {
class MessageLite;
}

// A snapshot of the store as a row of chunks: frames (a header, then one object each) in one stream
// that is cut every kChunkBytes. Each chunk begins with a CRC32C of its bytes that goes on from
// the chunk before, so that a missing, repeated or swapped chunk is found. Equal objects in equal
// order give equal bytes.
namespace swarm::wire {

// A chunk of small objects is written or read within a few milliseconds: a slice of a loop.
inline constexpr size_t kChunkBytes = 64 << 10;
inline constexpr size_t kMaxChunkBytes = 1 << 20;  // longer ones are refused

// Writes the chunks one by one, so that memory holds one at a time. Any thread.
class SnapshotWriter {
 public:
  // Gives the objects one after the other, `count` of them.
  using Source = std::function<model::ChangeSet::Object()>;

  SnapshotWriter(model::Position position, size_t count, Source source);
  // Empty when all is written.
  std::string next_chunk();

 private:
  void append_frame(const google::protobuf::MessageLite& message);

  size_t left_;
  Source source_;
  std::string pending_;  // frames that are not in a chunk yet
  uint32_t checksum_ = 0;
};

// Takes chunks in order.
class SnapshotReader {
 public:
  // The objects that end in this chunk. DATA_LOSS if it is damaged, out of order, or holds what
  // cannot be decoded.
  Result<std::vector<model::ChangeSet::Object>> add(std::string_view chunk);
  // The position of the state, after the last chunk. DATA_LOSS if something is missing.
  Result<model::Position> finish() const;

 private:
  Status add_frame(std::string_view frame, std::vector<model::ChangeSet::Object>* objects);

  bool has_header_ = false;
  uint64_t expected_objects_ = 0;
  uint64_t objects_ = 0;
  model::Position position_ = 0;
  std::string pending_;  // the start of a frame whose end is in the next chunk
  uint32_t checksum_ = 0;
};

}  // namespace swarm::wire
