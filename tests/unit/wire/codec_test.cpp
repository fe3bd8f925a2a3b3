#include <gtest/gtest.h>

#include "base/random.h"
#include "proto/objects.pb.h"
#include "unit/wire/message_filler.h"
#include "wire/agent_codec.h"
#include "wire/bytes.h"
#include "wire/cluster_codec.h"
#include "wire/enum_codec.h"
#include "wire/node_codec.h"
#include "wire/service_codec.h"
#include "wire/store_object.h"
#include "wire/task_codec.h"

namespace swarm::wire {
namespace {

constexpr int kVariants = 30;  // more than any enum has values

// Every message that has a codec of its own; the others are parts of these.
template <class Message>
class Codec : public testing::Test {};
using Messages =
    testing::Types<v1::PublishedPort, v1::Resources, v1::TaskTemplate, v1::UpdatePolicy,
                   v1::ServiceSpec, v1::Rollout, v1::Service, v1::Revision, v1::NodeSpec,
                   v1::NodeDescription, v1::NodeStatus, v1::ManagerStatus, v1::Node, v1::Cluster,
                   v1::TaskStatus, v1::Task, v1::TaskWait, v1::StoreObject, v1::AgentUp,
                   v1::AgentDown, v1::Assignment, v1::AssignmentSet, v1::Endpoint, v1::MeshTable>;
TYPED_TEST_SUITE(Codec, Messages);

TYPED_TEST(Codec, ForgetsNoField) {
  for (int variant = 0; variant < kVariants; ++variant) {
    TypeParam sent;
    test::MessageFiller(variant).fill(&sent);
    auto value = decode(sent);
    ASSERT_TRUE(value.ok()) << value.status() << "\n" << sent.DebugString();
    TypeParam received;
    encode(*value, &received);
    EXPECT_EQ(sent.DebugString(), received.DebugString());
    EXPECT_EQ(sent.SerializeAsString(), received.SerializeAsString());
  }
}

TYPED_TEST(Codec, NeverAbortsOnGarbage) {
  const uint64_t seed = Random::from_system().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    TypeParam message;
    test::MessageFiller(round).fill(&message);
    std::string bytes = message.SerializeAsString();
    for (uint64_t flips = 1 + random.below(8); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    bytes.resize(random.below(bytes.size() + 1));
    TypeParam damaged;
    if (damaged.ParseFromString(bytes)) {
      auto value = decode(damaged);
      if (!value.ok()) {
        EXPECT_TRUE(absl::IsInvalidArgument(value.status()) ||
                    absl::IsUnimplemented(value.status()))
            << value.status();
      }
    }
  }
}

TEST(EnumCodec, KeepsEveryValueAndRefusesTheRest) {
  for (int number = -1; number < 300; ++number) {
    const auto wire_value = static_cast<v1::TaskState>(number);
    const auto value = decode(wire_value);
    const bool is_known = number != 0 && v1::TaskState_IsValid(number);
    EXPECT_EQ(value.ok(), is_known) << number;
    if (value.ok()) {
      EXPECT_EQ(encode(*value), wire_value);
    }
  }
}

TEST(EnumCodec, SaysThatAValueIsMissing) {
  v1::PublishedPort port;
  port.set_target(80);
  const auto decoded = decode(port);
  EXPECT_EQ(decoded.status().message(), "the port protocol is not set");
}

TEST(ServiceCodec, RefusesAPortThatIsTooLarge) {
  v1::PublishedPort port;
  encode(model::PublishedPort{80, 8080}, &port);
  port.set_published(65'536);
  EXPECT_TRUE(absl::IsInvalidArgument(decode(port).status()));
}

TEST(ServiceCodec, RefusesARepeatedLabel) {
  v1::NodeSpec spec;
  encode(model::NodeSpec{model::Role::worker, model::Availability::active, {{"a", "1"}}}, &spec);
  *spec.add_labels() = spec.labels(0);
  EXPECT_EQ(decode(spec).status().message(), "label \"a\" occurs twice");
}

TEST(ServiceCodec, RefusesASpecOfTwoMebibytes) {
  model::ServiceSpec spec;
  spec.name = "web";
  spec.task.container.args = {std::string(2 << 20, 'x')};
  v1::ServiceSpec message;
  encode(spec, &message);
  EXPECT_TRUE(absl::IsInvalidArgument(decode(message).status()));
}

TEST(ServiceCodec, KeepsTheDefaultsOfModel) {
  const model::ServiceSpec spec;
  v1::ServiceSpec message;
  encode(spec, &message);
  const auto decoded = decode(message);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, spec);
}

TEST(ServiceCodec, TellsNoHealthCheckFromAnEmptyOne) {
  model::TaskTemplate task;
  task.container.health = model::HealthCheck();
  v1::TaskTemplate message;
  encode(task, &message);
  EXPECT_TRUE(decode(message)->container.health.has_value());
}

TEST(TaskCodec, TellsExitCodeZeroFromNone) {
  model::TaskStatus status;
  status.exit_code = 0;
  v1::TaskStatus message;
  encode(status, &message);
  EXPECT_EQ(decode(message)->exit_code, 0);
}

TEST(AgentCodec, KeepsEmptyReports) {
  v1::AgentUp message;
  encode(model::AgentUpMessage(std::vector<model::TaskReport>()), &message);
  const auto decoded = decode(message);
  ASSERT_TRUE(decoded.ok());
  EXPECT_TRUE(std::holds_alternative<std::vector<model::TaskReport>>(*decoded));
}

TEST(AgentCodec, CallsAnUnknownKindUnimplemented) {
  EXPECT_TRUE(absl::IsUnimplemented(decode(v1::AgentUp()).status()));
  EXPECT_TRUE(absl::IsUnimplemented(decode(v1::AgentDown()).status()));
}

TEST(Bytes, ComeBackAsTheyWere) {
  model::MeshTable table;
  table.position = 7;
  table.services.push_back({model::ServiceId("s"), "web", {{80, 8080}}, {}});
  EXPECT_EQ(*parse_mesh_table(to_bytes(table)), table);

  model::Assignment assignment;
  assignment.task = model::TaskId("t");
  assignment.spec.container.image = "web:1.0";
  EXPECT_EQ(*parse_assignment(to_bytes(assignment)), assignment);

  model::AssignmentSet set{true, 3, {assignment}, {model::TaskId("gone")}};
  const auto parsed = parse_assignment_set(to_bytes(set));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->assigned, set.assigned);
  EXPECT_EQ(parsed->removed, set.removed);

  model::TaskStatus status;
  status.error = "exit 3";
  EXPECT_EQ(*parse_task_status(to_bytes(status)), status);
  EXPECT_EQ(*parse_service_spec(to_bytes(model::ServiceSpec())), model::ServiceSpec());
  EXPECT_EQ(*parse_task_template(to_bytes(model::TaskTemplate())), model::TaskTemplate());
}

TEST(Bytes, OfAnotherKindAreDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(parse_assignment("\xff\xff\xff").status()));
  EXPECT_TRUE(absl::IsDataLoss(parse_task_template("").status()));
}

}  // namespace
}  // namespace swarm::wire
