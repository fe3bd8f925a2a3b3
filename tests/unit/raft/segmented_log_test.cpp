#include "raft/log/segmented_log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/simulated_file_system.h"

namespace swarm::raft {
namespace {

using test::SimulatedFileSystem;

class PlainCipher final : public PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return "sealed" + std::string(plain); }
  Result<std::string> open(std::string_view sealed) override {
    if (!sealed.starts_with("sealed")) {
      return absl::DataLossError("another key");
    }
    return std::string(sealed.substr(6));
  }
};

class SegmentedLogTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kSegment = 8192;

  Result<SegmentedLog::Opened> try_open() {
    return SegmentedLog::open({"/log", kSegment}, files_, cipher_, Random(++seed_));
  }
  LogContents reopen() {
    Result<SegmentedLog::Opened> opened = try_open();
    EXPECT_TRUE(opened.ok()) << opened.status();
    log_ = std::move(opened->log);
    return std::move(opened->contents);
  }
  static PersistOp entries(uint64_t first, uint64_t count, uint64_t term, size_t size = 20) {
    PersistOp op;
    for (uint64_t i = 0; i < count; ++i) {
      op.entries.push_back({Term(term), Index(first + i), EntryKind::command,
                            std::make_shared<const std::string>(size, 'a')});
    }
    return op;
  }
  static PersistOp state(uint64_t term, uint64_t vote, uint64_t commit) {
    PersistOp op;
    op.hard_state = HardState{Term(term), MemberId(vote), Index(commit)};
    return op;
  }
  Status append(std::vector<PersistOp> group) { return log_->append(group); }
  std::vector<std::string> segments() {
    std::vector<std::string> names = *files_.list("/log");
    std::erase_if(names, [](const std::string& name) { return !name.ends_with(".log"); });
    return names;
  }

  size_t spares() {
    return static_cast<size_t>(
        std::ranges::count_if(*files_.list("/log"), [](const std::string& name) {
          return name.starts_with("spare-") && !name.ends_with(".part");
        }));
  }

  SimulatedFileSystem files_;
  PlainCipher cipher_;
  uint64_t seed_ = 0;
  std::unique_ptr<SegmentedLog> log_;
};

TEST_F(SegmentedLogTest, AnEmptyDirectoryIsAnEmptyLog) {
  const LogContents contents = reopen();
  EXPECT_TRUE(contents.is_empty());
  EXPECT_EQ(contents.hard_state, HardState{});
}

TEST_F(SegmentedLogTest, WhatWasAppendedSurvivesAPowerLoss) {
  reopen();
  ASSERT_TRUE(append({state(3, 2, 1), entries(1, 5, 3)}).ok());
  files_.crash_dropping_everything();
  const LogContents contents = reopen();
  EXPECT_EQ(contents.hard_state, (HardState{Term(3), MemberId(2), Index(1)}));
  ASSERT_EQ(contents.entries.size(), 5u);
  EXPECT_EQ(contents.entries.back().index, Index(5));
  EXPECT_EQ(*contents.entries.back().data, std::string(20, 'a'));
}

TEST_F(SegmentedLogTest, AGroupCostsOneWriteAndOneSync) {
  reopen();
  ASSERT_TRUE(append({state(1, 1, 0)}).ok());
  const uint64_t writes = files_.writes();
  const uint64_t syncs = files_.syncs();
  ASSERT_TRUE(append({entries(1, 3, 1), state(2, 2, 1), entries(4, 3, 2)}).ok());
  EXPECT_EQ(files_.writes(), writes + 1);
  EXPECT_EQ(files_.syncs(), syncs + 1);
}

TEST_F(SegmentedLogTest, EntriesOfALaterLeaderReplaceTheTail) {
  reopen();
  ASSERT_TRUE(append({entries(1, 5, 1)}).ok());
  ASSERT_TRUE(append({state(2, 0, 0), entries(3, 1, 2)}).ok());
  const LogContents contents = reopen();
  ASSERT_EQ(contents.entries.size(), 3u);
  EXPECT_EQ(contents.entries[2].term, Term(2));
}

TEST_F(SegmentedLogTest, ManySegmentsReadAsOneLogAndOldOnesAreRecycled) {
  reopen();
  ASSERT_TRUE(append({state(4, 3, 0)}).ok());
  for (uint64_t i = 1; i <= 40; ++i) {
    ASSERT_TRUE(append({entries(i, 1, 4, 1000)}).ok());
  }
  const size_t before = segments().size();
  EXPECT_GT(before, 4u);
  EXPECT_EQ(reopen().entries.size(), 40u);
  ASSERT_TRUE(log_->release_until(Index(30)).ok());
  EXPECT_LT(segments().size(), before - 3);
  EXPECT_EQ(spares(), SegmentFiles::kMaxSpares);
  const LogContents contents = reopen();
  EXPECT_EQ(contents.entries.back().index, Index(40));
  EXPECT_LE(contents.entries.front().index, Index(31));
  EXPECT_EQ(contents.hard_state.vote, MemberId(3)) << "the state is in every segment";
}

TEST_F(SegmentedLogTest, OldContentsOfARecycledFileAreNotReadAgain) {
  reopen();
  for (uint64_t i = 1; i <= 30; ++i) {
    ASSERT_TRUE(append({entries(i, 1, 1, 1000)}).ok());
    ASSERT_TRUE(log_->release_until(Index(i - 1)).ok());
    const LogContents contents = reopen();
    ASSERT_EQ(contents.entries.back().index, Index(i));
  }
  EXPECT_LE(segments().size(), 2u);
}

TEST_F(SegmentedLogTest, AGroupLargerThanASegmentGetsOneOfItsOwn) {
  reopen();
  ASSERT_TRUE(append({entries(1, 3, 1, 20'000)}).ok());
  ASSERT_TRUE(append({entries(4, 1, 1, 10)}).ok());
  EXPECT_EQ(reopen().entries.size(), 4u);
}

TEST_F(SegmentedLogTest, ASpareIsPreparedInSlicesAndUsed) {
  reopen();
  EXPECT_TRUE(log_->lacks_room_ahead());
  while (*log_->prepare_ahead()) {
  }
  EXPECT_FALSE(log_->lacks_room_ahead());
  EXPECT_EQ(spares(), 1u);
  ASSERT_TRUE(append({entries(1, 1, 1)}).ok());
  EXPECT_TRUE(log_->lacks_room_ahead());
  EXPECT_EQ(spares(), 0u);
}

TEST_F(SegmentedLogTest, EverySegmentIsWrittenPastTheCache) {
  reopen();
  uint64_t cached = files_.cached_syncs();
  for (uint64_t first = 1; segments().size() < 3; ++first) {
    ASSERT_TRUE(append({entries(first, 1, 1, 1000)}).ok());
  }
  EXPECT_EQ(spares(), 0u);
  EXPECT_EQ(files_.cached_syncs(), cached);
  reopen();
  cached = files_.cached_syncs();
  ASSERT_TRUE(append({state(2, 1, 0)}).ok());
  EXPECT_EQ(files_.cached_syncs(), cached);
}

TEST_F(SegmentedLogTest, InSteadyStateNothingIsAllocated) {
  reopen();
  uint64_t last = 0;
  const auto write_and_release = [&](uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      ++last;
      ASSERT_TRUE(append({entries(last, 1, 1, 1000)}).ok());
      ASSERT_TRUE(log_->release_until(Index(last < 10 ? 0 : last - 10)).ok());
    }
  };
  write_and_release(100);
  files_.set_capacity(0);  // not one byte more
  write_and_release(200);
  EXPECT_EQ(reopen().entries.back().index, Index(300));
}

TEST_F(SegmentedLogTest, SparesOfAnotherSizeAreRemovedAtTheStart) {
  reopen();
  for (uint64_t i = 1; i <= 40; ++i) {
    ASSERT_TRUE(append({entries(i, 1, 1, 1000)}).ok());
  }
  ASSERT_TRUE(log_->release_until(Index(40)).ok());
  EXPECT_GT(spares(), 0u);
  ASSERT_TRUE(SegmentedLog::open({"/log", 2 * kSegment}, files_, cipher_, Random(1)).ok());
  EXPECT_EQ(spares(), 0u);
}

TEST_F(SegmentedLogTest, ASpareThatIsBeingPreparedGivesWayToARetiredSegment) {
  constexpr uint64_t kLarge = 3 << 20;
  auto opened = SegmentedLog::open({"/log", kLarge}, files_, cipher_, Random(1));
  log_ = std::move(opened->log);
  for (uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(append({entries(i, 1, 1, 1 << 20)}).ok());
  }
  ASSERT_TRUE(*log_->prepare_ahead());
  ASSERT_TRUE(log_->release_until(Index(2)).ok());
  EXPECT_TRUE(log_->lacks_room_ahead());
  EXPECT_FALSE(*log_->prepare_ahead());
  EXPECT_FALSE(log_->lacks_room_ahead());
  EXPECT_FALSE(files_.exists("/log/spare-new.part"));
  EXPECT_EQ(spares(), 1u);
}

// A crash at every point of a group: whole groups before it survive, of it any prefix of its
// records.
TEST_F(SegmentedLogTest, WhatAKilledProcessDidNotSyncIsSyncedBeforeItIsTrusted) {
  for (const bool has_lost_its_dirty_pages : {false, true}) {
    files_ = SimulatedFileSystem();
    reopen();
    ASSERT_TRUE(append({state(1, 1, 0), entries(1, 2, 1)}).ok());
    // Killed between its write and its sync, or by a sync that failed: it is read all the same.
    if (has_lost_its_dirty_pages) {
      files_.lose_next_sync();
    } else {
      files_.begin_power_loss();
    }
    ASSERT_FALSE(append({entries(3, 1, 1)}).ok());
    log_.reset();
    files_.end_process();
    ASSERT_EQ(reopen().entries.size(), 3u);
    log_.reset();
    files_.crash_dropping_everything();
    EXPECT_EQ(reopen().entries.size(), 3u);
  }
}

TEST_F(SegmentedLogTest, TheNameOfASegmentIsDurableBeforeItIsTrusted) {
  reopen();
  ASSERT_TRUE(append({state(1, 1, 0), entries(1, 1, 1)}).ok());
  const size_t before = segments().size();
  for (uint64_t index = 2; segments().size() == before; ++index) {
    // The sync of the directory is the last one of a switch.
    files_.fail_sync_after(1);
    const bool is_written = append({entries(index, 1, 1, 2000)}).ok();
    files_.end_process();
    ASSERT_TRUE(is_written || segments().size() > before);
  }
  log_.reset();
  reopen();
  ASSERT_TRUE(append({entries(reopen().entries.size() + 1, 1, 1)}).ok());
  const size_t held = reopen().entries.size();
  log_.reset();
  files_.crash_dropping_everything();
  EXPECT_EQ(reopen().entries.size(), held);
}

TEST_F(SegmentedLogTest, ATornGroupIsCutAndNothingBeforeIt) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    files_ = SimulatedFileSystem();
    reopen();
    uint64_t durable = 0;
    for (int round = 0; round < 6; ++round) {
      const uint64_t count = 1 + random.below(4);
      ASSERT_TRUE(append({entries(durable + 1, count, 1, random.below(3000))}).ok());
      durable += count;
    }
    files_.begin_power_loss();
    EXPECT_FALSE(append({entries(durable + 1, 2, 1, 3000), entries(durable + 3, 2, 1, 3000)}).ok());
    files_.crash(random);
    const LogContents contents = reopen();
    ASSERT_GE(contents.entries.size(), durable) << "seed " << seed;
    ASSERT_LE(contents.entries.size(), durable + 4) << "seed " << seed;
    const uint64_t next = contents.entries.size() + 1;
    ASSERT_TRUE(append({entries(next, 1, 2)}).ok());
    files_.crash_dropping_everything();
    ASSERT_EQ(reopen().entries.size(), next) << "seed " << seed;
  }
}

TEST_F(SegmentedLogTest, DamageBeforeALaterGroupIsRefusedNamingFileOffsetAndCure) {
  reopen();
  ASSERT_TRUE(append({entries(1, 1, 1)}).ok());
  ASSERT_TRUE(append({entries(2, 1, 1)}).ok());
  ASSERT_TRUE(append({entries(3, 1, 1)}).ok());
  files_.damage("/log/0000000000000001.log", 512 + 33);
  const Status refused = try_open().status();
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  for (const char* const word :
       {"/log/0000000000000001.log", "offset 512", "swarmctl swarm leave --force"}) {
    EXPECT_NE(refused.message().find(word), absl::string_view::npos) << refused;
  }
}

TEST_F(SegmentedLogTest, EveryFlippedBitIsRefusedOrOnlyCostsTheLastGroup) {
  reopen();
  for (uint64_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(append({entries(i, 1, 1, 30)}).ok());
  }
  const uint64_t end = reopen().offset;
  for (uint64_t offset = 0; offset < end; ++offset) {
    const SimulatedFileSystem intact = files_;
    files_.damage("/log/0000000000000001.log", offset);
    Result<SegmentedLog::Opened> opened = try_open();
    if (opened.ok() && offset >= 48 && offset < SegmentHeader::kBytes) {
      EXPECT_EQ(opened->contents.entries.size(), 4u) << "padding of the header";
    } else if (opened.ok()) {
      EXPECT_EQ(opened->contents.entries.size(), 3u) << "offset " << offset;
      EXPECT_GT(offset, end - 120) << "offset " << offset;
    } else {
      EXPECT_TRUE(absl::IsDataLoss(opened.status()));
    }
    files_.damage("/log/0000000000000001.log", offset);
    if (opened.ok()) {
      opened->log.reset();
      for (uint64_t i = reopen().entries.size() + 1; i <= 4; ++i) {
        ASSERT_TRUE(append({entries(i, 1, 1, 30)}).ok());
      }
    }
  }
}

TEST_F(SegmentedLogTest, AMissingSegmentIsRefused) {
  reopen();
  for (uint64_t i = 1; i <= 30; ++i) {
    ASSERT_TRUE(append({entries(i, 1, 1, 1000)}).ok());
  }
  ASSERT_TRUE(files_.remove("/log/" + segments()[1]).ok());
  EXPECT_TRUE(absl::IsDataLoss(try_open().status()));
}

TEST_F(SegmentedLogTest, ARecordSealedWithAnotherKeyIsRefused) {
  class OtherCipher final : public PayloadCipher {
   public:
    std::string seal(std::string_view plain) override { return std::string(plain); }
    Result<std::string> open(std::string_view) override { return absl::DataLossError("key"); }
  };
  reopen();
  ASSERT_TRUE(append({entries(1, 1, 1)}).ok());
  OtherCipher other;
  const Status refused = SegmentedLog::open({"/log", kSegment}, files_, other, Random(1)).status();
  EXPECT_TRUE(absl::IsDataLoss(refused));
}

TEST_F(SegmentedLogTest, AFullDiskChangesNothingAndTheGroupCanBeTriedAgain) {
  reopen();
  uint64_t last = 0;
  files_.set_capacity(3 * kSegment);
  Status status = absl::OkStatus();
  while (status.ok()) {
    status = append({entries(++last, 1, 1, 1000)});
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(absl::IsResourceExhausted(append({entries(last, 1, 1, 1000)})));
  files_.set_capacity(100 * kSegment);
  ASSERT_TRUE(append({entries(last, 1, 1, 1000)}).ok());
  files_.crash_dropping_everything();
  EXPECT_EQ(reopen().entries.size(), last);
}

TEST_F(SegmentedLogTest, AFailedSyncIsAnError) {
  reopen();
  ASSERT_TRUE(append({entries(1, 1, 1)}).ok());
  files_.fail_sync_after(0);
  EXPECT_TRUE(absl::IsUnavailable(append({entries(2, 1, 1)})));
}

TEST_F(SegmentedLogTest, ALeadersSnapshotResetsTheLog) {
  reopen();
  ASSERT_TRUE(append({entries(1, 5, 1)}).ok());
  PersistOp reset;
  reset.snapshot = SnapshotMarker{Index(100), Term(7), true};
  reset.hard_state = HardState{Term(7), MemberId(), Index(100)};
  ASSERT_TRUE(append({reset, entries(101, 2, 7)}).ok());
  const LogContents contents = reopen();
  EXPECT_EQ(contents.snapshot.index, Index(100));
  ASSERT_EQ(contents.entries.size(), 2u);
  EXPECT_EQ(contents.entries.front().index, Index(101));
}

TEST_F(SegmentedLogTest, AnOperationWithoutContentsWritesNothing) {
  reopen();
  const uint64_t writes = files_.writes();
  EXPECT_TRUE(append({PersistOp()}).ok());
  EXPECT_EQ(files_.writes(), writes);
}

using SegmentedLogDeathTest = SegmentedLogTest;

TEST_F(SegmentedLogDeathTest, ATermThatGoesDownEndsTheProcess) {
  reopen();
  ASSERT_TRUE(append({state(5, 1, 0)}).ok());
  EXPECT_DEATH((void)append({state(0, 0, 0)}), "term on disk would go down");
  EXPECT_DEATH((void)append({state(5, 2, 0)}), "vote on disk would change");
  EXPECT_DEATH((void)append({state(6, 2, 0), state(6, 3, 0)}), "vote on disk would change");
  EXPECT_TRUE(append({state(6, 2, 0)}).ok());
}

}  // namespace
}  // namespace swarm::raft
