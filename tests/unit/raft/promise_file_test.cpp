#include "raft/log/promise_file.h"

#include <gtest/gtest.h>

#include "support/simulated_file_system.h"

namespace swarm::raft {
namespace {

using test::SimulatedFileSystem;

constexpr const char* kPath = "/state/promises";

Promises promises_of_term(uint64_t term) {
  return {MemberId(3), 77, {Term(term), MemberId(2), Index(term * 10)}, ""};
}

std::optional<Promises> read(SimulatedFileSystem& files) {
  Result<std::optional<Promises>> found = PromiseFile(files, kPath).read();
  EXPECT_TRUE(found.ok()) << found.status();
  return found.value_or(std::nullopt);
}

TEST(PromiseFile, HoldsWhatWasWrittenLast) {
  SimulatedFileSystem files;
  EXPECT_EQ(read(files), std::nullopt);
  for (uint64_t term = 1; term < 6; ++term) {
    PromiseFile file(files, kPath);
    ASSERT_TRUE(file.read().ok());
    ASSERT_TRUE(file.write(promises_of_term(term)).ok());
    ASSERT_TRUE(file.write(promises_of_term(term + 100)).ok());
    files.crash_dropping_everything();
    EXPECT_EQ(read(files), promises_of_term(term + 100));
  }
}

TEST(PromiseFile, KeepsWhyAMemberMustNotTakePart) {
  SimulatedFileSystem files;
  Promises promises = promises_of_term(1);
  promises.refusal = "an older copy";
  ASSERT_TRUE(PromiseFile(files, kPath).write(promises).ok());
  EXPECT_EQ(read(files), promises);
}

// Whatever a crash does to the write that it catches, the file says what it said before or what was
// being written.
TEST(PromiseFile, ATornWriteLeavesTheOneBefore) {
  for (uint64_t seed = 1; seed < 200; ++seed) {
    SimulatedFileSystem files;
    Random random(seed);
    files.leave_garbage(true);
    uint64_t term = 1;
    {
      PromiseFile file(files, kPath);
      for (const uint64_t end = 1 + random.below(4); term <= end; ++term) {
        ASSERT_TRUE(file.write(promises_of_term(term)).ok());
      }
      files.fail_sync_after(0);
      ASSERT_FALSE(file.write(promises_of_term(term)).ok());
    }
    files.crash(random);
    const std::optional<Promises> found = read(files);
    EXPECT_TRUE(found == promises_of_term(term) || found == promises_of_term(term - 1)) << seed;
  }
}

TEST(PromiseFile, DamageToBothSlotsIsRefusedByName) {
  SimulatedFileSystem files;
  PromiseFile file(files, kPath);
  ASSERT_TRUE(file.write(promises_of_term(1)).ok());
  ASSERT_TRUE(file.write(promises_of_term(2)).ok());
  files.damage(kPath, 20);
  EXPECT_EQ(read(files)->hard_state.term.value() % 100, 1U) << "the slot that is left";
  files.damage(kPath, 4096 + 20);
  const Status refused = PromiseFile(files, kPath).read().status();
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  EXPECT_NE(refused.message().find(kPath), std::string::npos) << refused;
}

TEST(PromiseFile, OneThatIsFarTooLongIsRefusedAsDamaged) {
  SimulatedFileSystem files;
  ASSERT_TRUE(PromiseFile(files, kPath).write(promises_of_term(1)).ok());
  ASSERT_TRUE(replace_file(files, kPath, std::string(100'000, 'x')).ok());
  const Status refused = PromiseFile(files, kPath).read().status();
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
}

}  // namespace
}  // namespace swarm::raft
