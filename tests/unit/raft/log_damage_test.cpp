#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "raft/core/byte_codec.h"
#include "raft/log/segmented_log.h"
#include "support/simulated_file_system.h"

// Every way in which the bytes of a small log can differ from what was written: the outcome is the
// same log, a log without its last group, or a refusal that says what to do.
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

using Image = std::map<std::string, std::string>;  // name in the folder of the log -> contents

class LogDamageTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kSegment = 1024;

  struct State {
    HardState hard_state;
    std::vector<Term> terms;  // of the entries, from index 1

    bool operator==(const State&) const = default;
  };

  // Three segments; the last group has several records, so that part of it can survive.
  void SetUp() override {
    SimulatedFileSystem files;
    auto opened = SegmentedLog::open({"/log", kSegment}, files, cipher_, Random(7));
    log_ = std::move(opened->log);
    append({vote(1, 1), entries(1, 2, 1)});
    append({entries(3, 1, 1)});
    append({vote(2, 3), entries(3, 2, 2)});  // replaces entry 3
    append({entries(5, 2, 2)});
    append({entries(7, 1, 2)});
    append({vote(3, 2), entries(8, 1, 3), entries(9, 1, 3)});
    log_.reset();
    image_ = save(files);
    LogContents contents =
        SegmentedLog::open({"/log", kSegment}, files, cipher_, Random(8))->contents;
    last_segment_ = segment_name(contents.segment.number);
    end_ = contents.offset;
    ASSERT_EQ(state_of(contents), after_.back());
    ASSERT_GE(contents.segment.number, 3u);
  }

  static std::string segment_name(uint64_t number) {
    SimulatedFileSystem none;
    return SegmentFiles(none, "", kSegment).path_of(number).string();
  }
  static PersistOp entries(uint64_t first, uint64_t count, uint64_t term) {
    PersistOp op;
    for (uint64_t i = 0; i < count; ++i) {
      op.entries.push_back({Term(term), Index(first + i), EntryKind::command,
                            std::make_shared<const std::string>(60, 'a')});
    }
    return op;
  }
  static PersistOp vote(uint64_t term, uint64_t member) {
    PersistOp op;
    op.hard_state = HardState{Term(term), MemberId(member), Index()};
    return op;
  }
  // Appends the group and notes what the log holds after each of its records.
  void append(const std::vector<PersistOp>& group) {
    State state = after_.empty() ? State{} : after_.back();
    last_group_ = after_.size();
    for (const PersistOp& op : group) {
      if (op.hard_state) {
        state.hard_state = *op.hard_state;
      } else {
        state.terms.resize(op.entries.front().index.value() - 1);
        for (const Entry& entry : op.entries) {
          state.terms.push_back(entry.term);
        }
      }
      after_.push_back(state);
    }
    ASSERT_TRUE(log_->append(group).ok());
  }
  static State state_of(const LogContents& contents) {
    State state{contents.hard_state, {}};
    for (const Entry& entry : contents.entries) {
      state.terms.push_back(entry.term);
    }
    return state;
  }
  static Image save(SimulatedFileSystem& files) {
    Image image;
    const std::vector<std::string> names = *files.list("/log");
    for (const std::string& name : names) {
      image[name] = *read_file(files, "/log/" + name, 1 << 20);
    }
    return image;
  }
  static void load(SimulatedFileSystem& files, const Image& image) {
    ASSERT_TRUE(files.make_directories("/log").ok());
    for (const auto& [name, bytes] : image) {
      ASSERT_TRUE((*files.open("/log/" + name, OpenMode::create))->write_at(0, bytes).ok());
    }
  }

  enum class Outcome { same, without_last_group, refused, wrong };

  // Opens the image. What is accepted must be the state after some record of the last group, or
  // after the group before it; what is refused must be left as it was, with a message that helps.
  Outcome open(const Image& image) {
    SimulatedFileSystem files;
    load(files, image);
    const auto opened = SegmentedLog::open({"/log", kSegment}, files, cipher_, Random(9));
    if (opened.ok()) {
      const auto found = std::find(after_.begin() + static_cast<ptrdiff_t>(last_group_) - 1,
                                   after_.end(), state_of(opened->contents));
      return found == after_.end()       ? Outcome::wrong
             : found + 1 == after_.end() ? Outcome::same
                                         : Outcome::without_last_group;
    }
    const std::string message(opened.status().message());
    const bool helps = absl::IsDataLoss(opened.status()) && message.find("/log/0") == 0 &&
                       message.find("at offset ") != std::string::npos &&
                       message.find("join it again") != std::string::npos;
    return helps && save(files) == image ? Outcome::refused : Outcome::wrong;
  }

  bool is_in_last_group(const std::string& name, size_t offset) {
    return name == last_segment_ && offset >= last_group_offset() && offset < end_;
  }
  // Found by cutting the log there: the first offset from which on everything may be missing.
  size_t last_group_offset() {
    if (last_group_offset_ == 0) {
      const std::string& bytes = image_[last_segment_];
      for (size_t at = SegmentHeader::kBytes; at < end_;) {
        const auto record = parse_record(bytes, at, get_u64(bytes, 16));
        last_group_offset_ = record->group_start;
        at += Record::framed_size(record->payload.size());
      }
    }
    return last_group_offset_;
  }

  PrefixCipher cipher_;
  std::unique_ptr<SegmentedLog> log_;
  std::vector<State> after_;  // each record
  size_t last_group_ = 0;     // index in after_ of its first record
  Image image_;
  std::string last_segment_;
  size_t end_ = 0;
  size_t last_group_offset_ = 0;
};

TEST_F(LogDamageTest, EveryFlippedByteIsHarmlessOrRefusedOrCostsOnlyTheLastGroup) {
  std::map<Outcome, int> counts;
  for (const auto& [name, bytes] : image_) {
    for (size_t offset = 0; offset < bytes.size(); ++offset) {
      for (const int flip : {1 << (offset % 8), 0xff}) {
        Image image = image_;
        image[name][offset] = static_cast<char>(image[name][offset] ^ flip);
        const Outcome outcome = open(image);
        ++counts[outcome];
        ASSERT_NE(outcome, Outcome::wrong) << name << " offset " << offset << " flip " << flip;
        ASSERT_TRUE(outcome != Outcome::without_last_group || is_in_last_group(name, offset))
            << name << " offset " << offset << " flip " << flip;
      }
    }
  }
  EXPECT_GT(counts[Outcome::same], 0);
  EXPECT_GT(counts[Outcome::without_last_group], 0);
  EXPECT_GT(counts[Outcome::refused], 0);
}

TEST_F(LogDamageTest, AFileCutAtAnyOffsetIsRefusedSinceSegmentsAlwaysHaveTheirFullSize) {
  for (const auto& [name, bytes] : image_) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      Image image = image_;
      image[name].resize(size);
      ASSERT_EQ(open(image), Outcome::refused) << name << " cut at " << size;
    }
  }
}

TEST_F(LogDamageTest, ALastGroupThatIsMissingFromAnyOffsetOnIsATornTail) {
  for (size_t offset = last_group_offset(); offset < kSegment; ++offset) {
    Image image = image_;
    std::string& bytes = image[last_segment_];
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(offset), bytes.end(), '\0');
    const Outcome outcome = open(image);
    // Zeros may be what was there.
    ASSERT_TRUE(outcome == Outcome::without_last_group || outcome == Outcome::same) << offset;
    ASSERT_TRUE(outcome == Outcome::same || offset < end_);
  }
}

// The disk may write the pages of a group in any order: here any subset of its 8-byte words.
TEST_F(LogDamageTest, ALastGroupWithAnyHolesIsATornTailAndNeverComesBack) {
  Random random(3);
  for (int turn = 0; turn < 300; ++turn) {
    Image image = image_;
    std::string& bytes = image[last_segment_];
    for (size_t at = last_group_offset(); at < end_; at += 8) {
      if (random.chance(turn % 2 == 0 ? 0.02 : 0.5)) {
        std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at), 8, '\0');
      }
    }
    ASSERT_NE(open(image), Outcome::wrong);
    SimulatedFileSystem files;
    load(files, image);
    auto opened = SegmentedLog::open({"/log", kSegment}, files, cipher_, Random(9));
    ASSERT_TRUE(opened.ok()) << opened.status();
    const State before = state_of(opened->contents);
    opened->log.reset();
    const auto again = SegmentedLog::open({"/log", kSegment}, files, cipher_, Random(9));
    ASSERT_EQ(state_of(again->contents), before);
  }
}

TEST_F(LogDamageTest, ARenamedOrForeignSegmentIsRefused) {
  Image image = image_;
  auto moved = image.extract(last_segment_);
  moved.key() = segment_name(9);
  image.insert(std::move(moved));
  EXPECT_EQ(open(image), Outcome::refused);
  image = image_;
  image[last_segment_] = image_[segment_name(1)];
  EXPECT_EQ(open(image), Outcome::refused);
}

TEST_F(LogDamageTest, ASegmentOfAnEarlierUseOfTheNumberDoesNotContinueTheChain) {
  Image image = image_;
  const std::string& bytes = image_[last_segment_];
  SegmentHeader header = *decode_segment_header(bytes);
  header.previous_crc ^= 1;
  image[last_segment_] = encode(header) + bytes.substr(SegmentHeader::kBytes);
  EXPECT_EQ(open(image), Outcome::refused);
}

}  // namespace
}  // namespace swarm::raft
