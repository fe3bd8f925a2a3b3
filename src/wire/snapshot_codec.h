#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/change_set.h"

// A snapshot of the store as a row of chunks: frames (a header, then one object each) in one stream
// that is cut every kMaxChunkBytes. Each chunk begins with a CRC32C of its bytes that goes on from
// the chunk before, so that a missing, repeated or swapped chunk is found. Equal objects in equal
// order give equal bytes.
namespace swarm::wire {

inline constexpr size_t kMaxChunkBytes = 1 << 20;

// Writes the chunks one by one, so that memory holds one at a time. Any thread.
class SnapshotWriter {
 public:
  SnapshotWriter(model::Position position, std::vector<model::ChangeSet::Object> objects);
  // Empty when all is written.
  std::string next_chunk();

 private:
  void append_frame(std::string frame);

  std::vector<model::ChangeSet::Object> objects_;
  size_t next_object_ = 0;
  std::string pending_;  // frames that are not in a chunk yet
  uint32_t checksum_ = 0;
};

// Takes chunks in order.
class SnapshotReader {
 public:
  // DATA_LOSS if the chunk is damaged, out of order, or holds what cannot be decoded.
  Status add(std::string_view chunk);
  // The state, after the last chunk. DATA_LOSS if something is missing. Once.
  struct Contents {
    model::Position position = 0;
    std::vector<model::ChangeSet::Object> objects;
  };
  Result<Contents> finish();

 private:
  Status add_frame(std::string_view frame);

  bool has_header_ = false;
  uint64_t expected_objects_ = 0;
  Contents contents_;
  std::string pending_;  // the start of a frame whose end is in the next chunk
  uint32_t checksum_ = 0;
};

}  // namespace swarm::wire
