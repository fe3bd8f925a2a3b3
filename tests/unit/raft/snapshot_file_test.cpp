#include "raft/log/snapshot_file.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "support/simulated_file_system.h"

namespace swarm::raft {
namespace {

using test::SimulatedFileSystem;

class PlainCipher final : public PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return std::string(plain); }
  Result<std::string> open(std::string_view sealed) override { return std::string(sealed); }
};

class SnapshotFileTest : public ::testing::Test {
 protected:
  Status write(uint64_t index, const std::vector<std::string>& chunks) {
    SWARM_ASSIGN_OR_RETURN(
        const std::unique_ptr<SnapshotWriter> writer,
        SnapshotWriter::create(files_, "/snap", {Index(index), Term(3), {}}, cipher_));
    for (const std::string& chunk : chunks) {
      SWARM_RETURN_IF_ERROR(writer->append(chunk));
    }
    return writer->finish();
  }
  Result<std::vector<std::string>> read(uint64_t index) {
    SWARM_ASSIGN_OR_RETURN(
        const std::unique_ptr<SnapshotReader> reader,
        SnapshotReader::open(files_, snapshot_path("/snap", Index(index), Term(3)), cipher_));
    return read_snapshot(*reader);
  }

  SimulatedFileSystem files_;
  PlainCipher cipher_;
};

TEST_F(SnapshotFileTest, AFinishedSnapshotSurvivesAPowerLoss) {
  const std::vector<std::string> chunks = {"one", std::string(10'000, 'x'), "three"};
  ASSERT_TRUE(write(9, chunks).ok());
  files_.crash_dropping_everything();
  EXPECT_EQ(*read(9), chunks);
}

TEST_F(SnapshotFileTest, AnUnfinishedSnapshotIsNotSeen) {
  {
    auto writer = SnapshotWriter::create(files_, "/snap", {Index(9), Term(3), {}}, cipher_);
    ASSERT_TRUE((*writer)->append("one").ok());
    EXPECT_TRUE(list_snapshots(files_, "/snap")->empty());
  }
  EXPECT_TRUE(files_.list("/snap")->empty()) << "it cleans up after itself";
}

TEST_F(SnapshotFileTest, NewestFirstAndOnlyOlderOnesAreRemoved) {
  for (const uint64_t index : {5, 300, 20}) {
    ASSERT_TRUE(write(index, {"x"}).ok());
  }
  const auto paths = *list_snapshots(files_, "/snap");
  ASSERT_EQ(paths.size(), 3u);
  EXPECT_EQ(paths.front(), snapshot_path("/snap", Index(300), Term(3)));
  ASSERT_TRUE(remove_older_snapshots(files_, "/snap", paths[1]).ok());
  EXPECT_EQ(list_snapshots(files_, "/snap")->size(), 2u);
}

TEST_F(SnapshotFileTest, EveryFlippedBitIsFoundAndTheFileNamed) {
  ASSERT_TRUE(write(9, {"some", "state"}).ok());
  const std::filesystem::path path = snapshot_path("/snap", Index(9), Term(3));
  const uint64_t size = *(*files_.open(path, OpenMode::read))->size();
  for (uint64_t offset = 0; offset < size; ++offset) {
    files_.damage(path, offset);
    const Status status = read(9).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << offset << ": " << status;
    EXPECT_NE(status.message().find(path.string()), absl::string_view::npos);
    files_.damage(path, offset);
  }
  EXPECT_TRUE(read(9).ok());
}

TEST_F(SnapshotFileTest, ATruncatedFileIsDamaged) {
  ASSERT_TRUE(write(9, {"some", "state"}).ok());
  const auto file = *files_.open(snapshot_path("/snap", Index(9), Term(3)), OpenMode::write);
  for (uint64_t size = *file->size(); size-- > 0;) {
    ASSERT_TRUE(file->truncate(size).ok());
    EXPECT_TRUE(absl::IsDataLoss(read(9).status()));
  }
}

TEST_F(SnapshotFileTest, MoreAfterTheEndIsDamage) {
  ASSERT_TRUE(write(9, {"some", "state"}).ok());
  const auto file = *files_.open(snapshot_path("/snap", Index(9), Term(3)), OpenMode::write);
  ASSERT_TRUE(file->write_at(*file->size(), "x").ok());
  EXPECT_TRUE(absl::IsDataLoss(read(9).status()));
}

TEST_F(SnapshotFileTest, AChunkSealedWithAnotherKeyIsRefusedNamingTheFile) {
  class OtherKey final : public PayloadCipher {
   public:
    std::string seal(std::string_view plain) override { return std::string(plain); }
    Result<std::string> open(std::string_view) override { return absl::DataLossError("no"); }
  };
  ASSERT_TRUE(write(9, {"state"}).ok());
  OtherKey other;
  const std::filesystem::path path = snapshot_path("/snap", Index(9), Term(3));
  const Status refused = (*SnapshotReader::open(files_, path, other))->next().status();
  EXPECT_TRUE(absl::IsDataLoss(refused));
  EXPECT_NE(refused.message().find(path.string()), absl::string_view::npos) << refused;
}

TEST_F(SnapshotFileTest, AFullDiskRefusesAndLeavesNothing) {
  ASSERT_TRUE(write(9, {"old"}).ok());
  files_.set_capacity(300);
  EXPECT_TRUE(absl::IsResourceExhausted(write(12, {std::string(1000, 'x')})));
  EXPECT_EQ(files_.list("/snap")->size(), 1u);
  EXPECT_TRUE(read(9).ok());
}

TEST(Checksum, IsCrc32cAndCanBeContinued) {
  EXPECT_EQ(crc32c(0, "123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(crc32c(0, "1234"), "56789"), crc32c(0, "123456789"));
  EXPECT_EQ(crc32c(0, ""), 0u);
}

}  // namespace
}  // namespace swarm::raft
