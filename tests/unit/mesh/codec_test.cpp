#include <gtest/gtest.h>

#include <random>

#include "mesh/byte_codec.h"
#include "mesh/control_message.h"
#include "mesh/frame.h"

namespace swarm::mesh {
namespace {

TEST(ByteCodec, ReadsBackWhatWasWritten) {
  ByteWriter out;
  out.put_u8(1);
  out.put_u16(0x1234);
  out.put_u32(0x12345678);
  out.put_u64(0x123456789abcdef0);
  out.put_string(std::string_view("a\0b", 3));
  const std::string bytes = out.take();
  ByteReader in(bytes);
  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.u16(), 0x1234);
  EXPECT_EQ(in.u32(), 0x12345678u);
  EXPECT_EQ(in.u64(), 0x123456789abcdef0u);
  EXPECT_EQ(in.string(), std::string_view("a\0b", 3));
  EXPECT_TRUE(in.is_complete());
}

TEST(ByteCodec, ReadingPastTheEndIsRememberedAndHarmless) {
  ByteReader in(std::string_view("\xff\xff\xff\xff", 4));
  EXPECT_EQ(in.string(), "");
  EXPECT_FALSE(in.is_good());
  EXPECT_EQ(in.u64(), 0u);
  EXPECT_FALSE(in.is_complete());
}

TEST(ByteCodec, ACountThatCannotBeIsRefusedBeforeAnythingIsAllocated) {
  ByteReader in(
      std::string_view("\xff\xff\xff\xff"
                       "abc",
                       7));
  EXPECT_EQ(in.count(1), 0u);
  EXPECT_FALSE(in.is_good());
}

TEST(Frame, RoundTrips) {
  std::string bytes;
  append_frame(bytes, FrameType::data, "hello");
  append_frame(bytes, FrameType::end, "");
  const auto first = parse_frame(bytes);
  ASSERT_TRUE(first.ok() && first->has_value());
  EXPECT_EQ((*first)->type, FrameType::data);
  EXPECT_EQ((*first)->payload, "hello");
  const auto second = parse_frame(std::string_view(bytes).substr((*first)->size()));
  ASSERT_TRUE(second.ok() && second->has_value());
  EXPECT_EQ((*second)->type, FrameType::end);
  EXPECT_EQ((*first)->size() + (*second)->size(), bytes.size());
}

TEST(Frame, WaitsForTheWholeFrame) {
  std::string bytes;
  append_frame(bytes, FrameType::data, std::string(kMaxFramePayload, 'x'));
  EXPECT_EQ(bytes.size(), kMaxFrameSize);
  for (const size_t size : {size_t{0}, size_t{3}, size_t{4}, bytes.size() - 1}) {
    const auto frame = parse_frame(std::string_view(bytes).substr(0, size));
    ASSERT_TRUE(frame.ok());
    EXPECT_FALSE(frame->has_value());
  }
  EXPECT_TRUE(parse_frame(bytes)->has_value());
}

TEST(Frame, RefusesUnknownTypesAndTooLongPayloads) {
  EXPECT_FALSE(parse_frame(std::string_view("\0\0\0\0", 4)).ok());
  EXPECT_FALSE(parse_frame(std::string_view("\x09\0\0\0", 4)).ok());
  EXPECT_FALSE(parse_frame(std::string_view("\x04\x00\x40\x00", 4)).ok());
  EXPECT_FALSE(parse_frame("GET / HTTP/1.1").ok());
}

TEST(Frame, OpenRequestRoundTripsAndRefusesRubbish) {
  const OpenRequest request{model::TaskId("task1"), 8080};
  const std::string bytes = encode_open(request);
  EXPECT_EQ(decode_open(bytes).value(), request);
  EXPECT_FALSE(decode_open("").ok());
  EXPECT_FALSE(decode_open(bytes + "x").ok());
  EXPECT_FALSE(decode_open(bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_FALSE(decode_open(encode_open({model::TaskId(), 80})).ok());
}

model::MeshTable example_table() {
  model::MeshTable table;
  table.position = 42;
  table.services = {
      {model::ServiceId("s1"),
       "web",
       {{80, 8080, model::PortProtocol::tcp, model::PublishMode::host},
        {53, 53, model::PortProtocol::udp, model::PublishMode::ingress}},
       {{model::TaskId("t1"), model::NodeId("n1"), "127.0.0.1:7946", model::EndpointState::ready},
        {model::TaskId("t2"), model::NodeId("n2"), "127.0.0.2:7946",
         model::EndpointState::draining}}},
      {model::ServiceId("s2"), "", {}, {}}};
  table.removed_nodes = {model::NodeId("n3"), model::NodeId("n4")};
  return table;
}

std::vector<ControlMessage> example_messages() {
  return {Hello{kControlProtocol, model::SwarmId("swarm"), model::NodeId("node")},
          example_table(),
          Admit{{model::TaskId("t1"), model::ServiceId("s1"), {{80, "10.0.0.1:80"}, {81, "b:1"}}}},
          Retire{model::TaskId("t1"), seconds(30)},
          Credentials{"ca", "certificate", "key"},
          Shutdown{},
          Welcome{7, model::SwarmId("swarm"), model::NodeId("node")},
          Retired{model::TaskId("t2")},
          Problems{{{model::ServiceId("s1"), {80, 8080}, "port 8080 is in use"}}},
          Ping{},
          Pong{}};
}

TEST(ControlMessage, EveryKindRoundTrips) {
  const std::vector<ControlMessage> messages = example_messages();
  ASSERT_EQ(messages.size(), std::variant_size_v<ControlMessage>);
  for (const ControlMessage& message : messages) {
    const auto decoded = decode_control(encode_control(message));
    ASSERT_TRUE(decoded.ok()) << message.index();
    EXPECT_TRUE(*decoded == message) << message.index();
  }
}

TEST(ControlMessage, RefusesWhatIsCutOrTooLongOrUnknown) {
  for (const ControlMessage& message : example_messages()) {
    const std::string bytes = encode_control(message);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_control(std::string_view(bytes).substr(0, size)).ok())
          << "kind " << message.index() << " cut to " << size;
    }
    EXPECT_FALSE(decode_control(bytes + "x").ok());
  }
  EXPECT_FALSE(decode_control("\x7f").ok());
}

TEST(ControlMessage, SurvivesAnyChangeOfAByte) {
  std::mt19937_64 random(std::random_device{}());
  const std::string original = encode_control(example_table());
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = original;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto decoded = decode_control(bytes);  // either; but no crash, no huge allocation
    if (decoded.ok()) {
      EXPECT_LE(encode_control(*decoded).size(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace swarm::mesh
