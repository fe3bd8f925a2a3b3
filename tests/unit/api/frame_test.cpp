#include "api/peers/frame.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/client/limits.h"
#include "base/random.h"

namespace swarm::api {
namespace {

// All whole frames of what has arrived.
std::vector<std::string> take_all(FrameReader& reader) {
  std::vector<std::string> frames;
  for (;;) {
    const auto frame = reader.next();
    EXPECT_TRUE(frame.ok()) << frame.status();
    if (!frame.ok() || !frame->has_value()) {
      return frames;
    }
    frames.emplace_back(**frame);
  }
}

void arrive(FrameReader& reader, std::string_view bytes) {
  const std::span<char> room = reader.room();
  ASSERT_GE(room.size(), bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  reader.filled(bytes.size());
}

TEST(Frame, ComesOutAsItWentInHoweverItIsCut) {
  Random random(7);
  std::string bytes;
  std::vector<std::string> sent;
  for (const size_t size : {0u, 1u, 5u, 16'000u, 70'000u, 3u, 0u, 300'000u, 2u}) {
    sent.emplace_back(size, static_cast<char>('a' + sent.size()));
    append_frame(bytes, sent.back());
  }
  FrameReader reader;
  std::vector<std::string> received;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, 1 + random.next() % 16'000);
    arrive(reader, part);
    rest.remove_prefix(part.size());
    for (std::string& frame : take_all(reader)) {
      received.push_back(std::move(frame));
    }
  }
  EXPECT_EQ(received, sent);
}

TEST(Frame, ALengthThatCameInPartsIsWaitedFor) {
  std::string bytes;
  append_frame(bytes, "x");
  FrameReader reader;
  arrive(reader, std::string_view(bytes).substr(0, 3));
  EXPECT_TRUE(take_all(reader).empty());
  arrive(reader, std::string_view(bytes).substr(3));
  EXPECT_EQ(take_all(reader), std::vector<std::string>{"x"});
}

TEST(Frame, TheLargestMessageFitsAndALargerOneIsRefusedByItsLength) {
  std::string bytes;
  append_frame(bytes, std::string(kMaxRequestBytes, 'x'));
  FrameReader reader;
  arrive(reader, std::string_view(bytes).substr(0, 4));
  EXPECT_TRUE(reader.next().ok());
  FrameReader other;
  bytes.clear();
  append_frame(bytes, std::string(kMaxRequestBytes + 1, 'x'));
  arrive(other, std::string_view(bytes).substr(0, 4));
  EXPECT_EQ(other.next().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Frame, TheRoomOfALargeOneIsGivenBack) {
  std::string bytes;
  append_frame(bytes, std::string(1 << 20, 'x'));
  FrameReader reader;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::string_view part = rest.substr(0, 16'000);
    arrive(reader, part);
    rest.remove_prefix(part.size());
    take_all(reader);
  }
  EXPECT_LT(reader.room().size(), 64u * 1024);
}

}  // namespace
}  // namespace swarm::api
