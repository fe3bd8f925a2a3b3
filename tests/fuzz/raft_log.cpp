#include <algorithm>
#include <limits>

#include "base/crc32c.h"
#include "fuzz/target.h"
#include "raft/core/byte_codec.h"
#include "raft/log/log_report.h"
#include "raft/log/segmented_log.h"
#include "simulation/simple_cipher.h"
#include "support/simulated_file_system.h"

// The input is a byte that says whether to seal what follows, and the segments, one after the
// other. Sealing makes all checksums right, the chain and the epochs among them: without it, hardly
// any mutation would get past them.
namespace swarm::fuzz {

namespace {

using raft::Record;
using raft::SegmentHeader;

constexpr uint64_t kSegment = 1024;
constexpr size_t kMaxSegments = 8;
constexpr char kAsTheyAre = 0;
constexpr char kSeal = 1;

const std::filesystem::path kMember = "/member";
const std::filesystem::path kLog = kMember / "log";

void put_at(std::string& bytes, size_t offset, uint32_t value) {
  std::string encoded;
  raft::put_u32(encoded, value);
  bytes.replace(offset, encoded.size(), encoded);
}

// Returns the sum of the last record.
uint32_t seal_segment(std::string& segment, uint32_t previous_crc) {
  put_at(segment, 32, previous_crc);
  put_at(segment, 44, crc32c(0, std::string_view(segment).substr(0, 44)));
  uint32_t crc = previous_crc;
  size_t offset = SegmentHeader::kBytes;
  while (segment.size() - offset >= Record::kHeaderBytes) {
    const size_t size = Record::framed_size(raft::get_u32(segment, offset + 20));
    const bool is_of_this_use = raft::get_u64(segment, offset + 8) == raft::get_u64(segment, 16);
    if (!is_of_this_use || size > segment.size() - offset) {
      break;
    }
    put_at(segment, offset + 4, crc);
    crc = crc32c(0, std::string_view(segment).substr(offset + 4, size - 4));
    put_at(segment, offset, crc);
    offset += size;
  }
  return crc;
}

Status put_segments(FileSystem& files, std::string_view input) {
  const bool seals = input.front() == kSeal;
  input.remove_prefix(1);
  SWARM_RETURN_IF_ERROR(files.make_directories(kLog));
  const raft::SegmentFiles names(files, kLog, kSegment);
  uint32_t crc = 0;
  for (uint64_t number = 1; !input.empty() && number <= kMaxSegments; ++number) {
    std::string segment(input.substr(0, kSegment));
    input.remove_prefix(segment.size());
    if (seals && segment.size() > SegmentHeader::kBytes) {
      crc = seal_segment(segment, crc);
    }
    SWARM_RETURN_IF_ERROR(replace_file(files, names.path_of(number), segment));
  }
  return absl::OkStatus();
}

bool is_same(const std::vector<raft::Entry>& a, const std::vector<raft::Entry>& b) {
  return std::ranges::equal(a, b, [](const raft::Entry& one, const raft::Entry& other) {
    return one.term == other.term && one.index == other.index && one.kind == other.kind &&
           (one.data == nullptr) == (other.data == nullptr) &&
           (one.data == nullptr || *one.data == *other.data);
  });
}

raft::Index last_of(const raft::LogContents& contents) {
  return contents.entries.empty() ? contents.snapshot.index : contents.entries.back().index;
}

// What recovery accepts must be fit to go on from.
Result<bool> go_on(FileSystem& files, raft::PayloadCipher& cipher,
                   raft::SegmentedLog::Opened opened) {
  raft::LogContents& expected = opened.contents;
  const raft::Index last = last_of(expected);
  if (last.value() >= std::numeric_limits<uint64_t>::max() / 2) {
    return true;  // nobody gets there
  }
  raft::PersistOp op;
  op.entries = {{expected.hard_state.term, after(last), raft::EntryKind::command,
                 std::make_shared<const std::string>("news")}};
  SWARM_RETURN_IF_ERROR(opened.log->append(std::span(&op, 1)));
  expected.entries.push_back(op.entries.front());
  opened.log.reset();

  const auto again = raft::SegmentedLog::open({kLog, kSegment}, files, cipher, Random(2));
  SWARM_RETURN_IF_ERROR(again.status());
  const raft::LogContents& contents = again->contents;
  return accepted(is_same(contents.entries, expected.entries) &&
                      contents.hard_state == expected.hard_state &&
                      contents.snapshot.index == expected.snapshot.index &&
                      contents.snapshot.term == expected.snapshot.term,
                  "a log that was written to comes back as another");
}

std::string image(FileSystem& files) {
  std::string bytes;
  const raft::SegmentFiles names(files, kLog, kSegment);
  const std::vector<uint64_t> numbers = *names.list();
  for (const uint64_t number : numbers) {
    bytes += *read_file(files, names.path_of(number), kSegment);
  }
  return bytes;
}

raft::PersistOp entries(uint64_t first, uint64_t count, uint64_t term) {
  raft::PersistOp op;
  for (uint64_t i = 0; i < count; ++i) {
    op.entries.push_back({raft::Term(term), raft::Index(first + i), raft::EntryKind::command,
                          std::make_shared<const std::string>(40, 'a')});
  }
  return op;
}

raft::PersistOp state(uint64_t term, uint64_t vote, uint64_t snapshot) {
  raft::PersistOp op;
  op.hard_state = raft::HardState{raft::Term(term), raft::MemberId(vote), raft::Index(snapshot)};
  if (snapshot != 0) {
    op.snapshot = raft::SnapshotMarker{raft::Index(snapshot), raft::Term(term), true};
  }
  return op;
}

}  // namespace

Result<bool> run_raft_log(std::string_view input) {
  if (input.empty()) {
    return false;
  }
  test::SimulatedFileSystem files;
  test::SimpleCipher cipher;
  SWARM_RETURN_IF_ERROR(put_segments(files, input));
  SWARM_RETURN_IF_ERROR(raft::report_log(files, kMember, nullptr).status());
  const auto report = raft::report_log(files, kMember, &cipher);
  SWARM_RETURN_IF_ERROR(report.status());
  auto opened = raft::SegmentedLog::open({kLog, kSegment}, files, cipher, Random(1));
  if (opened.ok() != report->log.verdict.ok()) {
    return bug("the report says something else than the start");
  }
  return opened.ok() ? go_on(files, cipher, *std::move(opened))
                     : refused(opened.status(), absl::IsDataLoss);
}

std::vector<std::string> raft_log_seeds() {
  const std::vector<std::vector<raft::PersistOp>> groups = {
      {state(1, 1, 0), entries(1, 2, 1)},
      {entries(3, 1, 1)},
      {state(2, 3, 0), entries(3, 2, 2)},  // replaces entry 3
      {state(3, 0, 9)},                    // of a leader's snapshot
      {entries(10, 1, 3), entries(11, 1, 3), entries(12, 3, 3)},
  };
  std::vector<std::string> seeds;
  test::SimulatedFileSystem files;
  test::SimpleCipher cipher;
  auto opened = raft::SegmentedLog::open({kLog, kSegment}, files, cipher, Random(7));
  for (const std::vector<raft::PersistOp>& group : groups) {
    if (opened.ok() && opened->log->append(group).ok()) {
      seeds.push_back(kSeal + image(files));
    }
  }
  seeds.push_back(seeds.back());
  seeds.back().front() = kAsTheyAre;
  return seeds;
}

}  // namespace swarm::fuzz
