#include <gmock/gmock.h>

#include <set>

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

using model::ConditionKind;

model::NodeReport engine_away(const std::string& reason) {
  return {.conditions = {{ConditionKind::engine, reason, {}}}, .closed_ports = {}};
}

TEST_F(DispatcherTest, AConditionIsStoredWithItsReasonAndSinceWhenItHolds) {
  connect("n1");
  const WallTime began = loop.wall_now();
  dispatcher->receive(sessions["n1"], engine_away("connection refused"));
  world.run_for(seconds(1));
  dispatcher->receive(sessions["n1"], engine_away("timed out"));
  const model::NodeStatus& status = store.view().node(NodeId("n1"))->status;
  ASSERT_EQ(status.conditions.size(), 1u);
  EXPECT_EQ(status.conditions[0].reason, "timed out");
  EXPECT_EQ(status.conditions[0].since, began);
  dispatcher->receive(sessions["n1"], model::NodeReport{});
  EXPECT_TRUE(store.view().node(NodeId("n1"))->status.conditions.empty());
}

TEST_F(DispatcherTest, AReportThatSaysNothingNewIsNotStored) {
  connect("n1");
  dispatcher->receive(sessions["n1"], engine_away("connection refused"));
  commits = 0;
  world.run_for(seconds(1));
  dispatcher->receive(sessions["n1"], engine_away("connection refused"));
  EXPECT_EQ(commits, 0);
}

TEST_F(DispatcherTest, AReportIsBounded) {
  connect("n1");
  model::NodeReport report;
  for (int i = 0; i < 1'000; ++i) {
    report.conditions.push_back({ConditionKind::disk, std::string(100'000, 'x'), {}});
    report.closed_ports.push_back({ServiceId("web"), {80, 8080}, std::string(100'000, 'x')});
  }
  dispatcher->receive(sessions["n1"], report);
  const model::NodeStatus& status = store.view().node(NodeId("n1"))->status;
  EXPECT_EQ(status.conditions.size(), 1u);
  EXPECT_EQ(status.closed_ports.size(), model::kMaxClosedPorts);
  EXPECT_EQ(status.conditions[0].reason.size(), kMaxReason);
  EXPECT_EQ(status.closed_ports[0].reason.size(), kMaxReason);
}

TEST_F(DispatcherTest, PortsAreOpenOnceTheNodeHasSaidSoForTheTableThatHasThem) {
  const auto inbox = connect("n1");
  const auto confirm = [&] {
    const model::Position table = inbox->last<model::MeshTable>().position;
    dispatcher->receive(
        sessions["n1"],
        model::NodeReport{.conditions = {}, .closed_ports = {}, .ports_as_of = table});
  };
  EXPECT_FALSE(dispatcher->has_opened(NodeId("n1"), ServiceId("web")));
  confirm();
  EXPECT_TRUE(dispatcher->has_opened(NodeId("n1"), ServiceId("web")));
  EXPECT_FALSE(dispatcher->has_opened(NodeId("n2"), ServiceId("web")));
  model::Service service = *store.view().service(ServiceId("web"));
  model::Revision revision;
  revision.service = service.id;
  revision.task = store.view().revision(service.id, 1)->task;
  revision.number = service.revision = 2;
  revision.task.ports.push_back({.target = 90, .published = 9090});
  state::ChangeSet changes;
  changes.put(service);
  changes.put(revision);
  commit(std::move(changes));
  EXPECT_FALSE(dispatcher->has_opened(NodeId("n1"), ServiceId("web")));
  world.run_for(seconds(1));
  EXPECT_FALSE(dispatcher->has_opened(NodeId("n1"), ServiceId("web")));
  confirm();
  EXPECT_TRUE(dispatcher->has_opened(NodeId("n1"), ServiceId("web")));
  // What does not touch ports needs no new word.
  add_task("t1", "n1", TaskState::running);
  world.run_for(seconds(1));
  EXPECT_TRUE(dispatcher->has_opened(NodeId("n1"), ServiceId("web")));
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

// A leader that can ask meshes.
struct MeshProbeTest : DispatcherTest {
  std::set<std::string> serving;  // nodes whose mesh answers
  int probes = 0;

  void SetUp() override {
    DispatcherTest::SetUp();
    lead();
  }
  void lead() {
    dispatcher = Dispatcher::make(
        loop, store, gate, Random(6),
        [this](const NodeId& node, const std::string&, Duration limit, auto done) {
          ++probes;
          const bool answers = serving.contains(node.value());
          // A refusal comes at once, silence lasts to the limit.
          loop.call_at(loop.now() + (answers ? milliseconds(1) : limit),
                       [answers, done = std::move(done)]() mutable { done(answers); });
        });
  }
  std::string message() { return store.view().node(NodeId("n1"))->status.message; }
};

TEST_F(MeshProbeTest, ALostMachineIsDownAsSoonAsWithoutAProbe) {
  connect("n1");
  world.run_for(seconds(3) - milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  world.run_for(milliseconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::down);
}

TEST_F(MeshProbeTest, ALostDaemonKeepsItsTasksWhileItsMeshServes) {
  serving = {"n1"};
  connect("n1");
  dispatcher->stream_closed(sessions["n1"]);
  world.run_for(kDaemonGrace - seconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
  EXPECT_EQ(message(), "the daemon does not answer, but the mesh does");
  connect("n1");
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  EXPECT_EQ(message(), "");
}

TEST_F(MeshProbeTest, ADaemonThatStaysAwayIsGivenUpAfterItsGrace) {
  serving = {"n1"};
  connect("n1");
  dispatcher->stream_closed(sessions["n1"]);
  world.run_for(kDaemonGrace + seconds(5));
  EXPECT_EQ(node_state("n1"), NodeState::down);
}

TEST_F(MeshProbeTest, AMachineThatIsLostWhileItsDaemonIsAwayIsDownAtOnce) {
  serving = {"n1"};
  connect("n1");
  dispatcher->stream_closed(sessions["n1"]);
  world.run_for(seconds(30));
  serving.clear();
  world.run_for(kMeshProbePeriod + kMeshProbeLimit + milliseconds(10));
  EXPECT_EQ(node_state("n1"), NodeState::down);
}

TEST_F(MeshProbeTest, ASilentDaemonWhoseMeshServesIsSuspectAndItsSessionEnds) {
  serving = {"n1"};
  const auto inbox = connect("n1");
  world.run_for(seconds(3));
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
  EXPECT_TRUE(inbox->closed);
}

TEST_F(MeshProbeTest, ANodeThatSaidItRestartsMayDoWithoutItsMeshForAWhile) {
  const auto inbox = connect("n1");
  dispatcher->receive(sessions["n1"], model::AgentRestarting{});
  EXPECT_TRUE(inbox->closed);
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
  EXPECT_EQ(message(), "the daemon is restarting");
  world.run_for(kRestartGrace - seconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
  world.run_for(seconds(3));
  EXPECT_EQ(node_state("n1"), NodeState::down);
  EXPECT_FALSE(store.view().node(NodeId("n1"))->status.is_restarting);
}

TEST_F(MeshProbeTest, ARestartThatANewLeaderFindsKeepsItsGrace) {
  serving = {"n1"};
  connect("n1");
  dispatcher->receive(sessions["n1"], model::AgentRestarting{});
  dispatcher = nullptr;
  lead();
  world.run_for(kDaemonGrace - seconds(1));
  EXPECT_EQ(node_state("n1"), NodeState::suspect);
  connect("n1");
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  EXPECT_FALSE(store.view().node(NodeId("n1"))->status.is_restarting);
}

TEST_F(DispatcherTest, AClockThatIsOffIsAConditionUntilItIsRight) {
  connect("n1");
  const auto beat_at = [&](Duration ahead) {
    dispatcher->receive(sessions["n1"],
                        model::AgentHeartbeat{.applied = 0, .sent_at = loop.wall_now() + ahead});
  };
  const auto reason = [&]() -> std::string {
    const auto* clock =
        model::find_condition(store.view().node(NodeId("n1"))->status, ConditionKind::clock);
    return clock == nullptr ? "" : clock->reason;
  };
  beat_at(-minutes(5));  // it was on its way for so long
  beat_at(seconds(5));
  EXPECT_EQ(reason(), "");
  for (int i = 0; i < 3; ++i) {
    beat_at(hours(1));
  }
  EXPECT_EQ(reason(), "its clock is 1h0m0s ahead of the swarm's: synchronise it");
  dispatcher->receive(sessions["n1"], model::NodeReport{});
  EXPECT_NE(reason(), "");
  beat_at(Duration{});
  EXPECT_EQ(reason(), "");
}

TEST_F(DispatcherTest, AnAgentWithoutItsEngineDoesNotUndescribeTheNode) {
  connect("n1");
  model::NodeDescription full = store.view().node(NodeId("n1"))->description;
  full.runtime = "docker";
  full.engine_version = "26.1";
  full.resources = {4, 8};
  dispatcher->receive(sessions["n1"], full);
  model::NodeDescription bare = full;
  bare.engine_version.clear();
  bare.resources = {};
  open("n1");
  dispatcher->receive(sessions["n1"], model::AgentHello{bare, {}, {}});
  EXPECT_EQ(store.view().node(NodeId("n1"))->description, full);
}

}  // namespace
}  // namespace swarm::dispatcher
