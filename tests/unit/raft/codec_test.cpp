#include "raft/core/codec.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace swarm::raft {
namespace {

std::shared_ptr<const std::string> bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

Configuration configuration() {
  Configuration result;
  result.members = {{MemberId(1), "127.0.0.1:2377", false}, {MemberId(7), "host:1", true}};
  result.outgoing = {{MemberId(1), "a", false}, {MemberId(2), "b", false}};
  result.removed = {MemberId(4), MemberId(7)};
  return result;
}

std::vector<Message> samples() {
  AppendEntries append{Term(5), Index(10), Term(4), Index(9), {}};
  append.entries = {{Term(4), Index(11), EntryKind::command, bytes(std::string("a\0b", 3))},
                    {Term(5), Index(12), EntryKind::noop, nullptr},
                    {Term(5), Index(13), EntryKind::membership, bytes(encode(configuration()))},
                    {Term(5), Index(14), EntryKind::command, bytes("")}};
  return {append,
          AppendReply{Term(5), true, Index(3), Index(2), Term(1)},
          Heartbeat{Term(5), Index(3), 77, false},
          HeartbeatReply{Term(5), 77},
          VoteRequest{Term(6), Index(14), Term(5), true, false},
          VoteReply{Term(6), true, true},
          TimeoutNow{Term(6)},
          SnapshotPart{Term(6), {Index(9), Term(4), configuration()}, 3, 9, true, false, "data"},
          SnapshotPartReply{Term(6), Index(9), 4},
          ReadIndexRequest{Term(6), 123, 7},
          ReadIndexReply{Term(6), 123, 7, Index(14)},
          AddressAnnouncement{Term(6), "10.0.0.1:2377"}};
}

TEST(Codec, EveryMessageSurvivesTheWay) {
  const std::vector<Message> messages = samples();
  ASSERT_EQ(messages.size(), std::variant_size_v<Message>);
  for (const Message& message : messages) {
    const std::string encoded = encode(message);
    const Result<Message> decoded = decode_message(encoded);
    ASSERT_TRUE(decoded.ok()) << message.index();
    EXPECT_EQ(decoded->index(), message.index());
    EXPECT_EQ(term_of(*decoded), term_of(message));
    EXPECT_EQ(encode(*decoded), encoded) << message.index();
  }
}

TEST(Codec, EntriesKeepKindTermIndexAndData) {
  const Result<Message> decoded = decode_message(encode(samples()[0]));
  ASSERT_TRUE(decoded.ok());
  const auto& append = std::get<AppendEntries>(*decoded);
  ASSERT_EQ(append.entries.size(), 4u);
  EXPECT_EQ(*append.entries[0].data, std::string("a\0b", 3));
  EXPECT_EQ(append.entries[1].data, nullptr);
  EXPECT_EQ(append.entries[2].kind, EntryKind::membership);
  EXPECT_EQ(append.entries[3].index, Index(14));
  EXPECT_EQ(append.entries[3].term, Term(5));
}

TEST(Codec, SnapshotMetaSurvives) {
  const SnapshotMeta meta{Index(9), Term(4), configuration()};
  const Result<SnapshotMeta> decoded = decode_snapshot_meta(encode(meta));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, meta);
}

TEST(Codec, EveryTruncationIsRefused) {
  for (const Message& message : samples()) {
    const std::string encoded = encode(message);
    for (size_t size = 0; size < encoded.size(); ++size) {
      EXPECT_FALSE(decode_message(std::string_view(encoded).substr(0, size)).ok());
    }
    EXPECT_FALSE(decode_message(encoded + "x").ok());
  }
}

TEST(Codec, DamagedBytesAreHarmless) {
  Random random(4);
  for (int round = 0; round < 20000; ++round) {
    const std::vector<Message> messages = samples();
    std::string encoded = encode(messages[random.below(messages.size())]);
    for (uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
      encoded[random.below(encoded.size())] = static_cast<char>(random.next());
    }
    const Result<Message> decoded = decode_message(encoded);
    if (decoded.ok()) {
      EXPECT_TRUE(decode_message(encode(*decoded)).ok());
    }
  }
}

TEST(Codec, RandomBytesAreHarmless) {
  Random random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string noise(random.below(80), '\0');
    for (char& c : noise) {
      c = static_cast<char>(random.below(random.chance(0.5) ? 12 : 256));
    }
    (void)decode_message(noise);
    (void)decode_configuration(noise);
    (void)decode_snapshot_meta(noise);
  }
}

TEST(Codec, ACountLargerThanTheBytesIsRefusedBeforeAnythingIsReserved) {
  ByteWriter writer;
  writer.number(1);
  writer.number(uint64_t{1} << 60);
  EXPECT_FALSE(decode_configuration(writer.take()).ok());
}

TEST(Codec, EntriesPastTheLargestIndexAreRefused) {
  ByteWriter writer;
  for (const uint64_t value : {uint64_t{1}, uint64_t{0}, uint64_t{5}, ~uint64_t{0}, uint64_t{1},
                               uint64_t{1}, uint64_t{0}}) {
    writer.number(value);
  }
  EXPECT_FALSE(decode_message(writer.take()).ok());
}

TEST(Codec, UnsortedMembersAreRefused) {
  Configuration wrong = configuration();
  std::swap(wrong.members[0], wrong.members[1]);
  EXPECT_FALSE(decode_configuration(encode(wrong)).ok());
}

TEST(ByteCodec, NumbersOfEverySizeSurvive) {
  ByteWriter writer;
  std::vector<uint64_t> values = {0, 1, 127, 128, ~uint64_t{0}};
  for (int shift = 0; shift < 64; ++shift) {
    values.push_back(uint64_t{1} << shift);
  }
  for (const uint64_t value : values) {
    writer.number(value);
  }
  const std::string encoded = writer.take();
  ByteReader reader(encoded);
  for (const uint64_t value : values) {
    EXPECT_EQ(reader.number(), value);
  }
  EXPECT_TRUE(reader.finish("numbers").ok());
}

TEST(ByteCodec, NumbersOfMoreThan64BitsAreRefused) {
  const std::string too_large = std::string(9, '\xff') + '\x02';
  ByteReader reader(too_large);
  reader.number();
  EXPECT_TRUE(reader.has_failed());
}

}  // namespace
}  // namespace swarm::raft
