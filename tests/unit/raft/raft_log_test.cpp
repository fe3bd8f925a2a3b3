#include "raft/core/raft_log.h"

#include <gtest/gtest.h>

#include "raft/core/codec.h"

namespace swarm::raft {
namespace {

Entry entry(uint64_t index, uint64_t term, size_t size = 4) {
  return {Term(term), Index(index), EntryKind::command,
          std::make_shared<const std::string>(size, 'x')};
}

// Indexes 1..n with these terms.
RaftLog log_with(std::initializer_list<uint64_t> terms) {
  RaftLog log({}, {});
  for (const uint64_t term : terms) {
    log.append(entry(log.last().value() + 1, term));
  }
  return log;
}

TEST(RaftLog, KnowsTermsBetweenBaseAndEnd) {
  RaftLog log = log_with({1, 1, 2, 5});
  log.compact(Index(2));
  EXPECT_EQ(log.term_at(Index(1)), std::nullopt);
  EXPECT_EQ(log.term_at(Index(2)), Term(1));
  EXPECT_EQ(log.term_at(Index(4)), Term(5));
  EXPECT_EQ(log.term_at(Index(5)), std::nullopt);
  EXPECT_EQ(log.last(), Index(4));
}

TEST(RaftLog, UpToDateMeansALaterTermOrALongerLogOfTheSameTerm) {
  const RaftLog log = log_with({1, 1, 3});
  EXPECT_TRUE(log.is_up_to_date(Index(1), Term(4)));
  EXPECT_TRUE(log.is_up_to_date(Index(3), Term(3)));
  EXPECT_FALSE(log.is_up_to_date(Index(2), Term(3)));
  EXPECT_FALSE(log.is_up_to_date(Index(9), Term(2)));
}

TEST(RaftLog, ConflictHintSkipsWholeTerms) {
  const RaftLog log = log_with({1, 1, 4, 4, 4, 4});
  EXPECT_EQ(log.conflict_hint(Index(6), Term(3)), std::pair(Index(2), Term(1)));
  EXPECT_EQ(log.conflict_hint(Index(4), Term(5)), std::pair(Index(4), Term(4)));
  EXPECT_EQ(log.conflict_hint(Index(90), Term(9)), std::pair(Index(6), Term(4)));
  EXPECT_EQ(log.conflict_hint(Index(2), Term(0)), std::pair(Index(0), Term(0)));
}

TEST(RaftLog, SliceIsBoundedButNeverEmpty) {
  RaftLog log({}, {});
  for (uint64_t i = 1; i <= 4; ++i) {
    log.append(entry(i, 1, 100));
  }
  EXPECT_EQ(log.slice(Index(2), Index(4), 1).size(), 1u);
  EXPECT_EQ(log.slice(Index(1), Index(4), 2 * 132).size(), 2u);
  EXPECT_EQ(log.slice(Index(1), Index(4), 1 << 20).size(), 4u);
}

TEST(RaftLog, BytesFollowAppendTruncateAndCompact) {
  RaftLog log = log_with({1, 1, 1, 1, 1});
  const uint64_t each = entry(1, 1).bytes();
  EXPECT_EQ(log.bytes(), 5 * each);
  log.truncate_from(Index(5));
  log.compact(Index(2));
  EXPECT_EQ(log.bytes(), 2 * each);
  EXPECT_EQ(log.bytes_between(Index(3), Index(4)), each);
}

TEST(RaftLog, AMembershipEntryCountsFromItsAppendAndUntilItsTruncation) {
  RaftLog log = log_with({1});
  Configuration configuration;
  configuration.members = {{MemberId(1), "", false}};
  Entry membership{Term(1), Index(2), EntryKind::membership,
                   std::make_shared<const std::string>(encode(configuration))};
  EXPECT_TRUE(log.append(membership));
  EXPECT_EQ(log.configurations().latest(), configuration);
  EXPECT_FALSE(log.append(entry(3, 1)));
  EXPECT_TRUE(log.truncate_from(Index(2)));
  EXPECT_EQ(log.configurations().latest(), Configuration());
}

TEST(RaftLog, RestoreStartsAnewAfterTheSnapshot) {
  RaftLog log = log_with({1, 1});
  log.restore({Index(40), Term(7), {}});
  EXPECT_EQ(log.base(), Index(40));
  EXPECT_EQ(log.last(), Index(40));
  EXPECT_EQ(log.last_term(), Term(7));
  EXPECT_EQ(log.bytes(), 0u);
  log.append(entry(41, 7));
  EXPECT_EQ(log.last(), Index(41));
}

TEST(RaftLogDeathTest, AGapEndsTheProcess) {
  RaftLog log = log_with({1});
  EXPECT_DEATH(log.append(entry(3, 1)), "entry 3 appended to a log that ends at 1");
}

}  // namespace
}  // namespace swarm::raft
