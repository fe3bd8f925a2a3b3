#include "manager/backup_file.h"

#include <gtest/gtest.h>

#include "support/simulated_file_system.h"

namespace swarm::manager {
namespace {

constexpr const char* kPath = "/backups/swarm";

class BackupFileTest : public ::testing::Test {
 protected:
  BackupFileTest() { EXPECT_TRUE(files_.make_directories("/backups").ok()); }

  static BackupHeader header() {
    BackupHeader header;
    header.swarm = model::SwarmId("swarm");
    header.raft_index = 40;
    header.raft_term = 3;
    header.position = 38;
    header.version = "1.2.3";
    return header;
  }
  Result<uint64_t> write(std::vector<std::string> chunks) {
    size_t next = 0;
    return write_backup(files_, kPath, header(),
                        [&] { return next < chunks.size() ? chunks[next++] : std::string(); });
  }
  std::string bytes() { return *read_file(files_, kPath, 1 << 20); }
  Status read_of(std::string bytes) {
    EXPECT_TRUE(replace_file(files_, "/backups/other", bytes).ok());
    return read_backup(files_, "/backups/other").status();
  }

  test::SimulatedFileSystem files_;
};

TEST_F(BackupFileTest, GivesBackWhatWasWrittenAlsoAfterAPowerLoss) {
  const Result<uint64_t> size = write({"one", std::string(300'000, 'x'), "three"});
  ASSERT_TRUE(size.ok()) << size.status();
  files_.crash_dropping_everything();
  const Result<Backup> backup = read_backup(files_, kPath);
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ(backup->header, header());
  EXPECT_EQ(backup->chunks, (std::vector<std::string>{"one", std::string(300'000, 'x'), "three"}));
  EXPECT_EQ(*size, bytes().size());
}

TEST_F(BackupFileTest, FindsEveryFlippedBit) {
  ASSERT_TRUE(write({"one", "two"}).ok());
  const std::string whole = bytes();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const Status status = read_of(damaged);
    EXPECT_TRUE(absl::IsDataLoss(status) || (bit < 96 && absl::IsInvalidArgument(status)))
        << "bit " << bit << ": " << status;
  }
}

TEST_F(BackupFileTest, FindsEveryCutAndWhatFollows) {
  ASSERT_TRUE(write({"one", "two"}).ok());
  const std::string whole = bytes();
  for (size_t size = 8; size < whole.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(read_of(whole.substr(0, size)))) << "of " << size << " bytes";
  }
  EXPECT_TRUE(absl::IsDataLoss(read_of(whole + "x")));
}

TEST_F(BackupFileTest, TellsWhatIsNoBackup) {
  EXPECT_TRUE(absl::IsNotFound(read_backup(files_, "/backups/none").status()));
  for (const char* const text : {"", "SWARM", "#!/bin/sh\necho hello\n"}) {
    const Status status = read_of(text);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_NE(status.message().find("is no backup of a swarm"), std::string::npos) << status;
  }
  ASSERT_TRUE(write({"one"}).ok());
  std::string later = bytes();
  later[8] = 2;
  const Status status = read_of(later);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(status.message().find("format 2"), std::string::npos) << status;
}

TEST_F(BackupFileTest, AnEarlierOneStaysUntilTheNextIsWhole) {
  ASSERT_TRUE(write({"first"}).ok());
  ASSERT_TRUE(write({"second"}).ok());
  EXPECT_EQ(read_backup(files_, kPath)->chunks, std::vector<std::string>{"second"});
  EXPECT_FALSE(files_.exists(std::string(kPath) + ".part"));
}

}  // namespace
}  // namespace swarm::manager
