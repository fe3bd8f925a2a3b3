#include "wire/snapshot_codec.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "proto/objects.pb.h"
#include "wire/scratch_arena.h"
#include "wire/store_object.h"

namespace swarm::wire {
namespace {

constexpr uint32_t kFormat = 1;
constexpr size_t kNumberBytes = 4;
// Larger frames are not written: an object fits a raft entry.
constexpr uint32_t kMaxFrameBytes = 4 << 20;

std::string number_to_bytes(uint32_t number) {
  std::string bytes(kNumberBytes, '\0');
  for (size_t i = 0; i < kNumberBytes; ++i) {
    bytes[i] = static_cast<char>(number >> (8 * i));
  }
  return bytes;
}

uint32_t number_at(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < kNumberBytes; ++i) {
    number |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return number;
}

Status damaged(const std::string& why) {
  return absl::DataLossError("the snapshot is damaged: " + why);
}

}  // namespace

SnapshotWriter::SnapshotWriter(model::Position position, size_t count, Source source)
    : left_(count), source_(std::move(source)) {
  v1::SnapshotHeader header;
  header.set_format(kFormat);
  header.set_position(position);
  header.set_objects(count);
  append_frame(header);
}

void SnapshotWriter::append_frame(const google::protobuf::MessageLite& message) {
  pending_ += number_to_bytes(static_cast<uint32_t>(message.ByteSizeLong()));
  message.AppendToString(&pending_);
}

std::string SnapshotWriter::next_chunk() {
  constexpr size_t kPayload = kChunkBytes - kNumberBytes;
  while (pending_.size() < kPayload && left_ > 0) {
    ScratchArena arena;
    auto& message = arena.make<v1::StoreObject>();
    encode(source_(), &message);
    append_frame(message);
    --left_;
  }
  if (pending_.empty()) {
    return {};
  }
  const size_t size = std::min(pending_.size(), kPayload);
  const std::string_view payload(pending_.data(), size);
  checksum_ = crc32c(checksum_, payload);
  std::string chunk;
  chunk.reserve(kNumberBytes + size);
  chunk += number_to_bytes(checksum_);
  chunk += payload;
  pending_.erase(0, size);
  return chunk;
}

Result<std::vector<model::ChangeSet::Object>> SnapshotReader::add(std::string_view chunk) {
  if (chunk.size() <= kNumberBytes || chunk.size() > kMaxChunkBytes) {
    return damaged("a chunk has " + std::to_string(chunk.size()) + " bytes");
  }
  const std::string_view payload = chunk.substr(kNumberBytes);
  checksum_ = crc32c(checksum_, payload);
  if (checksum_ != number_at(chunk)) {
    return damaged("a chunk does not match its checksum or is out of order");
  }
  pending_ += payload;
  std::vector<model::ChangeSet::Object> objects;
  std::string_view rest = pending_;
  while (rest.size() >= kNumberBytes) {
    const uint32_t size = number_at(rest);
    if (size > kMaxFrameBytes) {
      return damaged("a frame claims " + std::to_string(size) + " bytes");
    }
    if (rest.size() - kNumberBytes < size) {
      break;
    }
    SWARM_RETURN_IF_ERROR(add_frame(rest.substr(kNumberBytes, size), &objects));
    rest.remove_prefix(kNumberBytes + size);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return objects;
}

Status SnapshotReader::add_frame(std::string_view frame,
                                 std::vector<model::ChangeSet::Object>* objects) {
  const int size = static_cast<int>(frame.size());
  if (!has_header_) {
    v1::SnapshotHeader header;
    if (!header.ParseFromArray(frame.data(), size)) {
      return damaged("its header cannot be read");
    }
    if (header.format() != kFormat) {
      return absl::DataLossError("the snapshot has format " + std::to_string(header.format()) +
                                 ", this version reads format " + std::to_string(kFormat) +
                                 ": start the version of swarmd that wrote it");
    }
    has_header_ = true;
    position_ = header.position();
    expected_objects_ = header.objects();
    return absl::OkStatus();
  }
  if (objects_ == expected_objects_) {
    return damaged("it holds more objects than its header says");
  }
  ScratchArena arena;
  auto& message = arena.make<v1::StoreObject>();
  if (!message.ParseFromArray(frame.data(), size)) {
    return damaged("object " + std::to_string(objects_) + " cannot be read");
  }
  Result<model::ChangeSet::Object> object = decode(message);
  if (!object.ok()) {
    return damaged(std::string(object.status().message()));
  }
  objects->push_back(*std::move(object));
  ++objects_;
  return absl::OkStatus();
}

Result<model::Position> SnapshotReader::finish() const {
  if (!has_header_ || !pending_.empty() || objects_ != expected_objects_) {
    return damaged("it has " + std::to_string(objects_) + " of " +
                   std::to_string(expected_objects_) + " objects");
  }
  return position_;
}

}  // namespace swarm::wire
