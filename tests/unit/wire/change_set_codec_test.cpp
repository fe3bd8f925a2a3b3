#include "wire/change_set_codec.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "base/random.h"
#include "proto/objects.pb.h"
#include "unit/wire/message_filler.h"

namespace swarm::wire {
namespace {

model::ChangeSet one_of_each() {
  model::ChangeSet changes;
  model::Cluster cluster;
  cluster.id = model::SwarmId("swarm");
  changes.put(cluster);
  model::Node node;
  node.id = model::NodeId("node");
  changes.put(node);
  model::Service service;
  service.id = model::ServiceId("service");
  changes.put(service);
  changes.put(model::Revision{service.id, 3, {}, {}});
  model::Task task;
  task.id = model::TaskId("task");
  changes.put(task);
  changes.remove(node.id);
  changes.remove(service.id);
  changes.remove(model::RevisionKey{service.id, 2});
  changes.remove(task.id);
  return changes;
}

TEST(ChangeSetCodec, KeepsObjectsOfAllKindsInOrder) {
  const model::ChangeSet sent = one_of_each();
  const auto entry = decode_change_set(encode_change_set(12, sent));
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->position, 12u);
  EXPECT_EQ(entry->changes.removals, sent.removals);
  ASSERT_EQ(entry->changes.puts.size(), sent.puts.size());
  for (size_t i = 0; i < sent.puts.size(); ++i) {
    std::visit(
        [&](const auto& object) {
          EXPECT_EQ(*object, *std::get<std::decay_t<decltype(object)>>(entry->changes.puts[i]));
        },
        sent.puts[i]);
  }
}

TEST(ChangeSetCodec, ForgetsNoField) {
  for (int variant = 0; variant < 20; ++variant) {
    v1::ChangeSet sent;
    test::MessageFiller(variant).fill(&sent);
    const std::string bytes = sent.SerializeAsString();
    const auto entry = decode_change_set(bytes);
    ASSERT_TRUE(entry.ok()) << entry.status();
    EXPECT_EQ(encode_change_set(entry->position, entry->changes), bytes);
  }
}

TEST(ChangeSetCodec, CallsWhatItCannotReadDataLoss) {
  v1::ChangeSet of_the_future;
  of_the_future.add_puts();
  v1::ChangeSet nothing_removed;
  nothing_removed.add_removals();
  const std::string good = encode_change_set(1, one_of_each());
  for (const std::string& bytes :
       {std::string("\xff\xff"), good.substr(0, good.size() / 2), of_the_future.SerializeAsString(),
        nothing_removed.SerializeAsString()}) {
    EXPECT_TRUE(absl::IsDataLoss(decode_change_set(bytes).status()));
  }
}

TEST(ChangeSetCodec, NeverAbortsOnGarbage) {
  const uint64_t seed = Random::from_system().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const std::string good = encode_change_set(1, one_of_each());
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    const auto entry = decode_change_set(bytes);
    EXPECT_TRUE(entry.ok() || absl::IsDataLoss(entry.status())) << entry.status();
  }
}

}  // namespace
}  // namespace swarm::wire
