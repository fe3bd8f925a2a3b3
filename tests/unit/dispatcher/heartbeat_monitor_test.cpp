#include "dispatcher/heartbeat_monitor.h"

#include <gtest/gtest.h>

#include "support/simulated_loop.h"

namespace swarm::dispatcher {
namespace {

using model::NodeId;

struct HeartbeatTest : testing::Test {
  test::World world;
  test::SimulatedLoop loop{world};
  std::vector<std::string> lost;
  HeartbeatMonitor monitor{loop, [this](const std::vector<NodeId>& nodes) {
                             for (const NodeId& node : nodes) {
                               lost.push_back(node.value());
                             }
                           }};
};

TEST_F(HeartbeatTest, ASilentNodeIsLostAtItsDeadlineAndOnce) {
  monitor.expect(NodeId("a"), seconds(3));
  world.run_for(seconds(3) - nanoseconds(1));
  EXPECT_TRUE(lost.empty());
  world.run_for(nanoseconds(1));
  EXPECT_EQ(lost, std::vector<std::string>{"a"});
  world.run_for(hours(1));
  EXPECT_EQ(lost.size(), 1u);
}

TEST_F(HeartbeatTest, ANodeThatIsHeardIsNotLost) {
  for (int beat = 0; beat < 100; ++beat) {
    monitor.expect(NodeId("a"), seconds(3));
    world.run_for(seconds(1));
  }
  EXPECT_TRUE(lost.empty());
  world.run_for(seconds(2));
  EXPECT_EQ(lost.size(), 1u);
}

TEST_F(HeartbeatTest, AShorterDeadlineBehindALongerOneHolds) {
  monitor.expect(NodeId("slow"), minutes(10));
  monitor.expect(NodeId("fast"), seconds(1));
  world.run_for(seconds(1));
  EXPECT_EQ(lost, std::vector<std::string>{"fast"});
  world.run_for(minutes(10));
  EXPECT_EQ(lost, (std::vector<std::string>{"fast", "slow"}));
}

TEST_F(HeartbeatTest, AForgottenNodeIsNotLost) {
  monitor.expect(NodeId("a"), seconds(1));
  monitor.forget(NodeId("a"));
  world.run_for(minutes(1));
  EXPECT_TRUE(lost.empty());
}

TEST_F(HeartbeatTest, ManyNodesAreLostTogetherInOrder) {
  for (int node = 0; node < 10; ++node) {
    monitor.expect(NodeId(std::to_string(node)), seconds(1));
  }
  world.run_for(seconds(1));
  EXPECT_EQ(lost.size(), 10u);
  EXPECT_TRUE(std::is_sorted(lost.begin(), lost.end()));
}

}  // namespace
}  // namespace swarm::dispatcher
