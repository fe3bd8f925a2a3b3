#include <gmock/gmock.h>

#include "dispatcher/dispatcher.h"
#include "dispatcher/node_records.h"
#include "dispatcher_fixture.h"

namespace swarm::dispatcher {
namespace {

TEST_F(DispatcherTest, AHelloMakesTheNodeReadyAndStoresWhatItIs) {
  connect("n1");
  const state::NodePtr node = store.view().node(NodeId("n1"));
  EXPECT_EQ(node->status.state, NodeState::ready);
  EXPECT_EQ(node->description.hostname, "host-n1");
}

TEST_F(DispatcherTest, TheAddressOfANodeIsTheOneItAdvertises) {
  connect("n1");
  EXPECT_EQ(store.view().node(NodeId("n1"))->status.address, "n1");
  model::NodeDescription description = store.view().node(NodeId("n1"))->description;
  for (const auto& [advertised, shown] :
       {std::pair("[fd00::7]:7946", "fd00::7"), std::pair("10.0.0.7:7946", "10.0.0.7"),
        std::pair("", "10.0.0.1")}) {
    open("n1");
    description.mesh_address = advertised;
    dispatcher->receive(sessions.at("n1"), model::AgentHello{description, {}, "daemon1"});
    EXPECT_EQ(store.view().node(NodeId("n1"))->status.address, shown);
  }
}

TEST_F(DispatcherTest, AHelloThatSaysNothingNewIsNotStored) {
  connect("n1");
  commits = 0;
  connect("n1");
  EXPECT_EQ(commits, 0);
}

TEST_F(DispatcherTest, AChangedDescriptionIsStored) {
  connect("n1");
  model::NodeDescription changed = store.view().node(NodeId("n1"))->description;
  changed.engine_version = "2";
  dispatcher->receive(sessions["n1"], changed);
  EXPECT_EQ(store.view().node(NodeId("n1"))->description.engine_version, "2");
}

TEST_F(DispatcherTest, ADescriptionIsBounded) {
  connect("n1");
  model::NodeDescription huge;
  huge.hostname = std::string(1'000'000, 'h');
  for (int i = 0; i < 1'000; ++i) {
    huge.engine_labels["label" + std::to_string(i)] = std::string(10'000, 'v');
  }
  dispatcher->receive(sessions["n1"], huge);
  const model::NodeDescription& stored = store.view().node(NodeId("n1"))->description;
  EXPECT_EQ(stored.hostname.size(), kMaxDescriptionText);
  EXPECT_EQ(stored.engine_labels.size(), kMaxEngineLabels);
}

TEST_F(DispatcherTest, ABrokenStreamMakesTheNodeSuspectAtOnce) {
  connect("n1");
  dispatcher->stream_closed(sessions["n1"]);
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
}

TEST_F(DispatcherTest, ANodeInDoubtIsSuspectUntilItIsHeardOf) {
  connect("n1");
  connect("n2");
  take_office();
  connect("n2");
  dispatcher->doubt(NodeId("n1"));
  dispatcher->doubt(NodeId("n2"));
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
  EXPECT_EQ(node_state("n2"), NodeState::ready) << "was heard of";
  connect("n1");
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

TEST_F(DispatcherTest, ASuspectThatReturnsIsReady) {
  connect("n1");
  dispatcher->stream_closed(sessions["n1"]);
  world.run_for(seconds(2));
  connect("n1");
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  world.run_for(seconds(2));
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

TEST_F(DispatcherTest, ASuspectThatStaysAwayIsDownWhenItsBeatsAreMissed) {
  connect("n1");
  beat("n1");
  world.run_for(seconds(1));
  dispatcher->stream_closed(sessions["n1"]);
  world.run_for(seconds(2) - milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
  world.run_for(milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::down);
}

TEST_F(DispatcherTest, ASilentNodeIsDownAfterThreeBeatsAndItsSessionEnds) {
  const auto inbox = connect("n1");
  world.run_for(seconds(3) - milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  world.run_for(milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::down);
  EXPECT_TRUE(inbox->closed);
}

TEST_F(DispatcherTest, HeartbeatsAreAnsweredAndKeepTheNodeReady) {
  const auto inbox = connect("n1");
  for (int i = 0; i < 20; ++i) {
    world.run_for(seconds(2));
    beat("n1");
  }
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  EXPECT_EQ(inbox->all<model::SessionAccepted>().size(), 21u);
}

TEST_F(DispatcherTest, AnyWordCountsAsAHeartbeat) {
  add_task("t1", "n1");
  connect("n1");
  for (int i = 0; i < 5; ++i) {
    world.run_for(seconds(2));
    send_report("n1", "t1", TaskState::running);
  }
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

TEST_F(DispatcherTest, AStreamThatNeverSaysHelloIsClosed) {
  const auto inbox = open("n1");
  world.run_for(seconds(4));
  EXPECT_TRUE(inbox->closed);
}

TEST_F(DispatcherTest, ThePeriodIsThatOfTheCluster) {
  model::Cluster cluster = *store.view().cluster();
  cluster.heartbeat_period = seconds(5);
  cluster.heartbeat_misses = 2;
  put(cluster);
  const auto inbox = connect("n1");
  EXPECT_EQ(inbox->last<model::SessionAccepted>().heartbeat_period, seconds(5));
  EXPECT_EQ(inbox->last<model::SessionAccepted>().heartbeat_misses, 2u);
  world.run_for(seconds(10) - milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  world.run_for(milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::down);
}

TEST_F(DispatcherTest, ThePeriodStretchesWithTheNumberOfNodes) {
  state::ChangeSet changes;
  for (int i = 0; i < 4'998; ++i) {
    model::Node node;
    node.id = NodeId("w" + std::to_string(i));
    changes.put(node);
  }
  commit(std::move(changes));
  const auto inbox = connect("n1");
  EXPECT_EQ(inbox->last<model::SessionAccepted>().heartbeat_period, seconds(5));
  world.run_for(seconds(14));
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

TEST_F(DispatcherTest, ANewLeaderGivesNodesTwiceTheTimeToFindIt) {
  connect("n1");
  world.run_for(seconds(2));
  dispatcher.reset();
  take_office();
  world.run_for(seconds(6) - milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  world.run_for(milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::down);
  // One that has never been there is not lost.
  EXPECT_EQ(node_state("n2"), NodeState::unknown);
}

TEST_F(DispatcherTest, ANodeThatFindsTheNewLeaderIsNotWrittenAgain) {
  connect("n1");
  dispatcher.reset();
  take_office();
  commits = 0;
  connect("n1");
  world.run_for(seconds(1));
  EXPECT_EQ(commits, 0);
}

TEST_F(DispatcherTest, ADownNodeThatReturnsIsReady) {
  connect("n1");
  world.run_for(seconds(3));
  ASSERT_EQ(node_state("n1"), NodeState::down);
  connect("n1");
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

TEST_F(DispatcherTest, ANodeStateThatTheStoreRefusesIsWrittenLater) {
  fill_backlog();
  connect("n1");
  world.run_for(seconds(1));
  ASSERT_EQ(node_state("n1"), NodeState::unknown);
  restore_quorum();
  world.run_for(kCommitRetryWait);
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

}  // namespace
}  // namespace swarm::dispatcher
