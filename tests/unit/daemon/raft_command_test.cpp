#include "daemon/raft_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "manager/data_key_cipher.h"
#include "platform/file_system.h"
#include "raft/core/codec.h"
#include "raft/log/segmented_log.h"
#include "raft/log/snapshot_file.h"
#include "security/tls/credential_files.h"

namespace swarm::daemon {
namespace {

using raft::Index;
using raft::MemberId;
using raft::PersistOp;
using raft::Term;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// The state folder of somebody else.
class ForbiddenFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode) override {
    return denied(path);
  }
  Status rename(const std::filesystem::path& from, const std::filesystem::path&) override {
    return denied(from);
  }
  Status remove(const std::filesystem::path& path) override { return denied(path); }
  Result<std::vector<std::string>> list(const std::filesystem::path& path) override {
    return denied(path);
  }
  Status make_directories(const std::filesystem::path& path) override { return denied(path); }
  Status sync_directory(const std::filesystem::path& path) override { return denied(path); }
  bool exists(const std::filesystem::path&) override { return false; }

 private:
  static Status denied(const std::filesystem::path& path) {
    return absl::PermissionDeniedError("list " + path.string() + ": Permission denied");
  }
};

class RaftInspectTest : public ::testing::Test {
 protected:
  // A manager's state folder on the real disk: snapshot at 2, entries 1 to 4, one of them a
  // membership.
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("raft_inspect_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    platform::remove_tree(folder_).IgnoreError();  // of a run that was interrupted
    manager::DataKeyCipher cipher(*security::load_or_make_data_key(*files_, folder_));
    auto opened = raft::SegmentedLog::open({folder_ / "raft" / "log"}, *files_, cipher, Random(1));
    ASSERT_TRUE(opened.ok()) << opened.status();
    const raft::Configuration members{{raft::Member{MemberId(5), "10.0.0.5", false}}, {}, {}};
    std::vector<PersistOp> group(3);
    group[0].hard_state = raft::HardState{Term(3), MemberId(5), Index(4)};
    group[1].entries = {entry(1, raft::EntryKind::membership, encode(members)),
                        entry(2, raft::EntryKind::command, "a secret command"),
                        entry(3, raft::EntryKind::noop, ""),
                        entry(4, raft::EntryKind::command, "xy")};
    group[2].snapshot = raft::SnapshotMarker{Index(2), Term(3), false};
    auto writer = *raft::SnapshotWriter::create(*files_, folder_ / "raft" / "snapshots",
                                                {Index(2), Term(3), members}, cipher);
    ASSERT_TRUE(writer->append("state").ok());
    ASSERT_TRUE(writer->finish().ok());
    ASSERT_TRUE(opened->log->append(group).ok());
  }
  void TearDown() override { ASSERT_TRUE(platform::remove_tree(folder_).ok()); }

  static raft::Entry entry(uint64_t index, raft::EntryKind kind, const std::string& data) {
    return {Term(3), Index(index), kind, std::make_shared<const std::string>(data)};
  }
  int run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return run_raft_command(arguments, *files_, out_, err_);
  }
  int inspect(const std::vector<std::string>& flags = {}) {
    std::vector<std::string> arguments = {"inspect", folder_.string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run(arguments);
  }
  void flip(const std::filesystem::path& path, std::streamoff offset) const {
    std::fstream file(folder_ / "raft" / path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
  }
  // Every file below the folder with its contents.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> found;
    for (const auto& item : std::filesystem::recursive_directory_iterator(folder_)) {
      found[item.path().string()] =
          item.is_regular_file() ? *read_file(*files_, item.path(), 64 << 20) : "";
    }
    return found;
  }

  const std::unique_ptr<FileSystem> files_ = platform::make_file_system();
  std::filesystem::path folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(RaftInspectTest, PrintsSegmentsStateSnapshotsAndMembers) {
  EXPECT_EQ(inspect(), 0) << err_.str();
  const std::string text = out_.str();
  EXPECT_THAT(text, HasSubstr("term 3, vote 5, commit 4"));
  EXPECT_THAT(text, HasSubstr("snapshot  index 2, term 3"));
  EXPECT_THAT(text, HasSubstr("entries   1-4; by term 3: 1-4"));
  EXPECT_THAT(text, ContainsRegex("0000000000000001  [0-9a-f]{16}  8388608 .* 1-4"));
  EXPECT_THAT(text, ContainsRegex("snapshot-0*2-0*3.snap  2 .* whole"));
  EXPECT_THAT(text, ContainsRegex("5 +10.0.0.5 +voter"));
  EXPECT_THAT(text, HasSubstr("whole: every checksum"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST_F(RaftInspectTest, ListsEntriesOnRequest) {
  EXPECT_EQ(inspect({"--entries"}), 0);
  EXPECT_THAT(out_.str(), ContainsRegex("1 +3 +membership"));
  EXPECT_THAT(out_.str(), ContainsRegex("4 +3 +command +2\n"));
}

TEST_F(RaftInspectTest, JsonIsOneObject) {
  EXPECT_EQ(inspect({"--format", "json", "--entries"}), 0);
  const std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  for (const char* const part :
       {R"("term":3)", R"("vote":"5")", R"("firstIndex":1,"lastIndex":4)", R"("damage":[])",
        R"({"index":3,"term":3,"kind":"no-op","bytes":0})", R"("address":"10.0.0.5")"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(RaftInspectTest, TakesTheFolderRaftToo) {
  EXPECT_EQ(run({"inspect", (folder_ / "raft").string()}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("entries   1-4"));
}

TEST_F(RaftInspectTest, WithoutTheKeyEntriesStaySealedAndEverythingIsChecked) {
  ASSERT_TRUE(files_->remove(folder_ / "data.key").ok());
  EXPECT_EQ(inspect(), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("sealed: there is no key"));
  EXPECT_FALSE(files_->exists(folder_ / "data.key")) << "none is made";
  flip("log/0000000000000001.log", 700);
  inspect();
  EXPECT_THAT(out_.str(), HasSubstr("torn")) << "the only group: it may have been torn";
}

TEST_F(RaftInspectTest, DamageIsToldWithFileAndOffsetAndExitCodeOne) {
  flip("log/0000000000000001.log", 8);
  EXPECT_EQ(inspect(), 1);
  EXPECT_THAT(err_.str(), HasSubstr("0000000000000001.log: at offset 0"));
  EXPECT_THAT(err_.str(), HasSubstr("swarmctl swarm leave --force"));
  EXPECT_THAT(out_.str(), HasSubstr("DAMAGED"));
}

TEST_F(RaftInspectTest, ADamagedSnapshotIsToldToo) {
  const auto paths = *raft::list_snapshots(*files_, folder_ / "raft" / "snapshots");
  flip(paths.front().lexically_relative(folder_ / "raft"), 70);
  EXPECT_EQ(inspect({"--format", "json"}), 1);
  EXPECT_THAT(out_.str(), HasSubstr(R"("whole":false)"));
  EXPECT_THAT(err_.str(), HasSubstr(paths.front().string()));
}

TEST_F(RaftInspectTest, ChangesNothing) {
  const auto before = contents();
  inspect();
  inspect({"--format", "json", "--entries"});
  EXPECT_EQ(contents(), before);
}

TEST_F(RaftInspectTest, SaysWhatToGiveWhenThereIsNoLog) {
  EXPECT_EQ(run({"inspect", "/nowhere"}), 1);
  EXPECT_THAT(err_.str(), HasSubstr("state folder"));
  EXPECT_EQ(run({"inspect"}), 125);
  EXPECT_EQ(run({"inspect", folder_.string(), "--format", "xml"}), 125);
  EXPECT_EQ(run({}), 125);
}

TEST_F(RaftInspectTest, HelpHasExamples) {
  EXPECT_EQ(run({"inspect", "--help"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("swarmd raft inspect /var/lib/swarmd"));
  EXPECT_THAT(out_.str(), HasSubstr("--entries"));
}

TEST_F(RaftInspectTest, AFolderThatMayNotBeReadIsNotTakenForAnEmptyOne) {
  ForbiddenFiles forbidden;
  EXPECT_EQ(run_raft_command({"inspect", folder_.string()}, forbidden, out_, err_), 1);
  EXPECT_THAT(err_.str(), HasSubstr("Permission denied: run it as root"));
  EXPECT_THAT(err_.str(), Not(HasSubstr("no raft log")));
}

TEST_F(RaftInspectTest, AnEmptyNameIsRefused) {
  EXPECT_EQ(run({"inspect", ""}), 1);
  EXPECT_THAT(err_.str(), HasSubstr("is not a path"));
}

}  // namespace
}  // namespace swarm::daemon
