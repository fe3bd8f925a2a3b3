#include "wire/snapshot_codec.h"

#include <gtest/gtest.h>

namespace swarm::wire {
namespace {

std::vector<model::ChangeSet::Object> tasks(size_t count, size_t message_bytes) {
  std::vector<model::ChangeSet::Object> objects;
  for (size_t i = 0; i < count; ++i) {
    auto task = std::make_shared<model::Task>();
    task->id = model::TaskId("task" + std::to_string(i));
    task->status.message = std::string(message_bytes, 'm');
    objects.emplace_back(model::TaskPtr(std::move(task)));
  }
  return objects;
}

std::vector<std::string> chunks_of(model::Position position,
                                   std::vector<model::ChangeSet::Object> objects) {
  size_t next = 0;
  SnapshotWriter writer(position, objects.size(), [&] { return objects[next++]; });
  std::vector<std::string> chunks;
  for (std::string chunk = writer.next_chunk(); !chunk.empty(); chunk = writer.next_chunk()) {
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

struct Contents {
  model::Position position = 0;
  std::vector<model::ChangeSet::Object> objects;
};

Result<Contents> read(const std::vector<std::string>& chunks) {
  SnapshotReader reader;
  Contents contents;
  for (const std::string& chunk : chunks) {
    SWARM_ASSIGN_OR_RETURN(std::vector<model::ChangeSet::Object> objects, reader.add(chunk));
    contents.objects.insert(contents.objects.end(), objects.begin(), objects.end());
  }
  SWARM_ASSIGN_OR_RETURN(contents.position, reader.finish());
  return contents;
}

TEST(Snapshot, OfNothingHoldsItsPosition) {
  const auto contents = read(chunks_of(42, {}));
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(contents->position, 42u);
  EXPECT_TRUE(contents->objects.empty());
}

TEST(Snapshot, IsCutIntoBoundedChunksAcrossObjects) {
  // 300 KiB objects: borders of chunks fall inside of them.
  const auto chunks = chunks_of(9, tasks(20, 300 << 10));
  EXPECT_GT(chunks.size(), 5u);
  for (const std::string& chunk : chunks) {
    EXPECT_LE(chunk.size(), kChunkBytes);
  }
  const auto contents = read(chunks);
  ASSERT_TRUE(contents.ok()) << contents.status();
  ASSERT_EQ(contents->objects.size(), 20u);
  EXPECT_EQ(std::get<model::TaskPtr>(contents->objects[19])->id, model::TaskId("task19"));
}

TEST(Snapshot, FindsEveryFlippedBit) {
  const auto chunks = chunks_of(1, tasks(3, 10));
  ASSERT_EQ(chunks.size(), 1u);
  for (size_t bit = 0; bit < chunks[0].size() * 8; ++bit) {
    std::vector<std::string> damaged = chunks;
    damaged[0][bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_TRUE(absl::IsDataLoss(read(damaged).status())) << "bit " << bit;
  }
}

TEST(Snapshot, FindsChunksThatAreMissingSwappedOrRepeated) {
  const auto chunks = chunks_of(1, tasks(50, 100 << 10));
  ASSERT_GE(chunks.size(), 4u);
  for (size_t i = 0; i < chunks.size(); ++i) {
    std::vector<std::string> missing = chunks;
    missing.erase(missing.begin() + i);
    EXPECT_TRUE(absl::IsDataLoss(read(missing).status())) << "without chunk " << i;
    std::vector<std::string> repeated = chunks;
    repeated.insert(repeated.begin() + i, chunks[i]);
    EXPECT_TRUE(absl::IsDataLoss(read(repeated).status())) << "with chunk " << i << " twice";
  }
  std::vector<std::string> swapped = chunks;
  std::swap(swapped[1], swapped[2]);
  EXPECT_TRUE(absl::IsDataLoss(read(swapped).status()));
  EXPECT_TRUE(absl::IsDataLoss(read({}).status()));
}

TEST(Snapshot, RefusesChunksThatAreTooShortOrTooLong) {
  SnapshotReader reader;
  EXPECT_TRUE(absl::IsDataLoss(reader.add("").status()));
  EXPECT_TRUE(absl::IsDataLoss(reader.add("abcd").status()));
  EXPECT_TRUE(absl::IsDataLoss(reader.add(std::string(kMaxChunkBytes + 1, 'x')).status()));
}

}  // namespace
}  // namespace swarm::wire
