#include "raft/log/log_report.h"

#include <gtest/gtest.h>

#include "raft/core/codec.h"
#include "raft/log/segmented_log.h"
#include "raft/log/snapshot_file.h"
#include "support/simulated_file_system.h"

namespace swarm::raft {
namespace {

using test::SimulatedFileSystem;

class PrefixCipher final : public PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return "sealed" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) override {
    if (!sealed.starts_with("sealed")) {
      return absl::DataLossError("another key");
    }
    return std::string(sealed.substr(6));
  }
};

class LogReportTest : public ::testing::Test {
 protected:
  // A member with a snapshot at 3, and entries 2 to 6 of which 5 is a membership.
  void SetUp() override {
    auto opened = SegmentedLog::open({"/raft/log", 4096}, files_, cipher_, Random(1));
    log_ = std::move(opened->log);
    PersistOp first;
    first.hard_state = HardState{Term(4), MemberId(2), Index(3)};
    append(first);
    for (uint64_t i = 2; i <= 6; ++i) {
      PersistOp op;
      const Configuration configuration{{Member{MemberId(7), "10.0.0.7", true}}, {}, {}};
      op.entries.push_back(
          {Term(i < 4 ? 1 : 4), Index(i), i == 5 ? EntryKind::membership : EntryKind::command,
           std::make_shared<const std::string>(i == 5 ? encode(configuration) : "command")});
      append(op);
    }
    write_snapshot(3);
    PersistOp marker;
    marker.snapshot = SnapshotMarker{Index(3), Term(1), false};
    append(marker);
    log_.reset();
  }
  void append(const PersistOp& op) { ASSERT_TRUE(log_->append({&op, 1}).ok()); }
  void write_snapshot(uint64_t index) {
    const SnapshotMeta meta{Index(index), Term(1),
                            Configuration{{Member{MemberId(2), "10.0.0.2", false}}, {}, {}}};
    auto writer = *SnapshotWriter::create(files_, "/raft/snapshots", meta, cipher_);
    ASSERT_TRUE(writer->append("some").ok());
    ASSERT_TRUE(writer->append("state").ok());
    ASSERT_TRUE(writer->finish().ok());
  }
  LogReport report(PayloadCipher* cipher) { return *report_log(files_, "/raft", cipher); }

  SimulatedFileSystem files_;
  PrefixCipher cipher_;
  std::unique_ptr<SegmentedLog> log_;
};

TEST_F(LogReportTest, TellsSegmentsStateEntriesSnapshotsAndMembership) {
  const LogReport found = report(&cipher_);
  EXPECT_TRUE(found.damage.empty()) << found.damage.front();
  ASSERT_EQ(found.log.segments.size(), 1u);
  const SegmentSummary& segment = found.log.segments.front();
  EXPECT_EQ(segment.first, Index(2));
  EXPECT_EQ(segment.last, Index(6));
  EXPECT_EQ(segment.groups, 7u);
  EXPECT_EQ(segment.entry_records, 5u);
  EXPECT_EQ(segment.end, found.log.contents.offset);
  EXPECT_EQ(found.log.contents.hard_state, (HardState{Term(4), MemberId(2), Index(3)}));
  ASSERT_EQ(found.snapshots.size(), 1u);
  EXPECT_EQ(found.snapshots.front().chunks, 2u);
  EXPECT_EQ(found.membership_index, Index(5));
  EXPECT_EQ(found.membership.members.front().id, MemberId(7));
}

TEST_F(LogReportTest, WithoutTheKeyEverythingIsCheckedAndTheEntriesStaySealed) {
  const LogReport found = report(nullptr);
  EXPECT_TRUE(found.damage.empty());
  EXPECT_TRUE(found.log.contents.entries.empty());
  EXPECT_EQ(found.log.segments.front().entry_records, 5u);
  EXPECT_EQ(found.membership_index, Index(3)) << "the snapshot's is not sealed";
  files_.damage("/raft/log/0000000000000001.log", 700);
  EXPECT_TRUE(absl::IsDataLoss(report(nullptr).damage.front()));
}

TEST_F(LogReportTest, ChangesNothingNotEvenATornTail) {
  const std::filesystem::path path = "/raft/log/0000000000000001.log";
  const uint64_t end = report(&cipher_).log.contents.offset;
  const auto file = *files_.open(path, OpenMode::write);
  const std::string before = *read_file(files_, path, 1 << 20);
  // A group of two records of which the first was lost.
  const SegmentHeader header = *decode_segment_header(before);
  std::string group;
  append_record(group, header, RecordType::state, 0, static_cast<uint32_t>(end), "x");
  ASSERT_TRUE(file->write_at(end + 64, group).ok());
  const std::string torn = *read_file(files_, path, 1 << 20);
  const uint64_t writes = files_.writes();
  const LogReport found = report(&cipher_);
  EXPECT_TRUE(found.damage.empty());
  EXPECT_EQ(found.log.torn_bytes(), 64 + group.size());
  EXPECT_EQ(files_.writes(), writes);
  EXPECT_EQ(*read_file(files_, path, 1 << 20), torn);
}

TEST_F(LogReportTest, DamageKeepsWhatCameBeforeIt) {
  files_.damage("/raft/log/0000000000000001.log", 512 + 40 + 3 * 64);
  const LogReport found = report(&cipher_);
  ASSERT_EQ(found.damage.size(), 1u);
  EXPECT_TRUE(absl::IsDataLoss(found.damage.front()));
  EXPECT_EQ(found.log.contents.hard_state.term, Term(4));
  EXPECT_LT(found.log.contents.entries.size(), 5u);
}

TEST_F(LogReportTest, ASnapshotThatIsDamagedOrMissingIsDamage) {
  const std::filesystem::path path = snapshot_path("/raft/snapshots", Index(3), Term(1));
  files_.damage(path, 60);
  EXPECT_EQ(report(&cipher_).damage.size(), 1u);
  ASSERT_TRUE(files_.remove(path).ok());
  const LogReport found = report(&cipher_);
  ASSERT_EQ(found.damage.size(), 1u);
  EXPECT_NE(found.damage.front().message().find("the log goes on from"), absl::string_view::npos);
}

TEST_F(LogReportTest, AFolderWithoutALogIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(report_log(files_, "/elsewhere", nullptr).status()));
}

}  // namespace
}  // namespace swarm::raft
