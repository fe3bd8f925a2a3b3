#include <gtest/gtest.h>

#include <fstream>

#include "base/random.h"
#include "platform/file_system.h"
#include "support/waiting_loop.h"

namespace swarm::platform {
namespace {

constexpr size_t kSize = 256 * 1024;

// A file of fixed size on a real disk, and what should be in it.
class DirectFile : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return directory_.path() / "file"; }

  void make(size_t size) {
    expected_.assign(size, 'o');
    std::ofstream(path(), std::ios::binary) << expected_;
  }

  std::unique_ptr<File> open() {
    auto file = files_->open(path(), OpenMode::direct);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }

  // What is behind it in its last block may be anything afterwards.
  void write(File& file, size_t offset, const std::string& data) {
    ASSERT_TRUE(file.write_at(offset, data).ok());
    expected_.replace(offset, data.size(), data);
  }

  std::string contents(size_t bytes) {
    const auto file = files_->open(path(), OpenMode::read);
    std::string bytes_read(bytes, '\0');
    EXPECT_EQ(*(*file)->read_at(0, bytes_read), bytes);
    return bytes_read;
  }

  test::ScratchDirectory directory_;
  std::unique_ptr<FileSystem> files_ = make_file_system();
  std::string expected_;
};

TEST_F(DirectFile, HoldsWhatWasWrittenFromFrontToBackHoweverItWasCut) {
  Random random(3);
  for (const size_t largest : {40u, 700u, 20'000u}) {
    make(kSize);
    std::unique_ptr<File> file = open();
    size_t offset = 0;
    for (;;) {
      const size_t size = 1 + random.next() % largest;
      if (offset + size > kSize) {
        break;
      }
      write(*file, offset, std::string(size, static_cast<char>('a' + random.next() % 26)));
      offset += size;
      if (random.next() % 64 == 0) {
        ASSERT_TRUE(file->sync().ok());
        file = open();  // as after a restart
      }
    }
    EXPECT_EQ(contents(offset), expected_.substr(0, offset));
    EXPECT_EQ(std::filesystem::file_size(path()), kSize);
  }
}

TEST_F(DirectFile, LeavesTheBlocksBehindItAlone) {
  make(kSize);
  write(*open(), 5000, "x");
  EXPECT_EQ(contents(5001), expected_.substr(0, 5001));
  EXPECT_EQ(contents(kSize).substr(8192), expected_.substr(8192));
}

TEST_F(DirectFile, MayBeWrittenAnywhereAndRead) {
  make(kSize);
  const std::unique_ptr<File> file = open();
  for (const size_t offset : {100'000u, 0u, 4095u, 8192u, 4096u, 200'000u}) {
    write(*file, offset, "word");
    std::string word(4, '\0');
    ASSERT_TRUE(file->read_at(offset, word).ok());
    EXPECT_EQ(word, "word");
  }
}

TEST_F(DirectFile, OfNoWholeBlocksKeepsItsSize) {
  make(5000);
  write(*open(), 4990, "word");
  EXPECT_EQ(contents(5000), expected_);
  EXPECT_EQ(std::filesystem::file_size(path()), 5000u);
}

TEST_F(DirectFile, ThatIsNotThereIsNotFound) {
  EXPECT_EQ(files_->open(path(), OpenMode::direct).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace swarm::platform
