#include "dispatcher/dispatcher.h"

#include <gmock/gmock.h>

#include "dispatcher/session.h"
#include "dispatcher_fixture.h"

namespace swarm::dispatcher {
namespace {

using model::AssignmentSet;
using model::MeshTable;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(DispatcherTest, AHelloIsAnsweredWithEverythingInOrder) {
  add_task("t1", "n1");
  dispatcher->set_managers({{"m1:2377"}});
  const auto inbox = connect("n1");
  ASSERT_EQ(inbox->messages.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<model::SessionAccepted>(inbox->messages[0]));
  EXPECT_TRUE(std::get<AssignmentSet>(inbox->messages[1]).is_complete);
  EXPECT_EQ(std::get<AssignmentSet>(inbox->messages[1]).assigned.size(), 1u);
  EXPECT_EQ(std::get<MeshTable>(inbox->messages[2]).services.size(), 1u);
  EXPECT_THAT(std::get<model::ManagerList>(inbox->messages[3]).addresses, ElementsAre("m1:2377"));
  EXPECT_EQ(inbox->last<model::SessionAccepted>().session, sessions["n1"]);
}

TEST_F(DispatcherTest, NothingLeavesBeforeItIsCommitted) {
  has_quorum = false;
  const auto inbox = connect("n1");
  world.run_for(seconds(1));
  EXPECT_TRUE(inbox->messages.empty());
  restore_quorum();
  EXPECT_EQ(inbox->messages.size(), 4u);
}

TEST_F(DispatcherTest, AnAssignmentThatIsUndoneIsNeverSent) {
  const auto inbox = connect("n1");
  const size_t before = inbox->messages.size();
  has_quorum = false;
  add_task("t1", "n1");
  world.run_for(seconds(1));
  gate.close(absl::UnavailableError("no longer the leader"));
  store.abandon();
  world.run_for(seconds(1));
  EXPECT_EQ(inbox->messages.size(), before);
}

TEST_F(DispatcherTest, AnUnknownNodeIsRefused) {
  auto inbox = std::make_shared<Inbox>();
  const auto session = dispatcher->open(NodeId("stranger"), "", std::make_unique<InboxSink>(inbox));
  EXPECT_EQ(session.status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(DispatcherTest, ARemovedNodeIsRefusedAndItsSessionEnds) {
  const auto inbox = connect("n1");
  model::Cluster cluster = *store.view().cluster();
  cluster.removed_nodes.insert(NodeId("n1"));
  put(cluster);
  ASSERT_TRUE(inbox->closed);
  EXPECT_EQ(inbox->closed->code(), absl::StatusCode::kPermissionDenied);
  const auto again = dispatcher->open(NodeId("n1"), "", std::make_unique<InboxSink>(inbox));
  EXPECT_EQ(again.status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(DispatcherTest, ANodeWhoseRecordIsDeletedIsCutOff) {
  const auto inbox = connect("n1");
  remove(NodeId("n1"));
  ASSERT_TRUE(inbox->closed);
  world.run_for(minutes(1));
  EXPECT_EQ(store.view().node(NodeId("n1")), nullptr);
}

TEST_F(DispatcherTest, ANewerSessionEndsTheOlder) {
  const auto older = connect("n1");
  const model::SessionId old_session = sessions["n1"];
  const auto newer = connect("n1");
  ASSERT_TRUE(older->closed);
  EXPECT_FALSE(newer->closed);
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  const size_t before = newer->messages.size();
  dispatcher->receive(old_session, model::AgentHeartbeat{});
  dispatcher->stream_closed(old_session);
  EXPECT_EQ(newer->messages.size(), before);
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

TEST_F(DispatcherTest, ACopyOfANodeIsRefusedAsSoonAsTheFirstIsHeardOf) {
  const auto first = connect("n1");
  const model::SessionId first_session = sessions["n1"];
  const auto copy = open("n1");
  hello("n1", "daemon2");
  EXPECT_FALSE(first->closed);
  EXPECT_FALSE(copy->closed) << "the first may be gone without a word";
  dispatcher->receive(first_session, model::AgentHeartbeat{});
  EXPECT_FALSE(first->closed);
  ASSERT_TRUE(copy->closed);
  EXPECT_EQ(copy->closed->code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(copy->closed->message(), HasSubstr("two machines use the identity of node n1"));
  EXPECT_TRUE(copy->messages.empty()) << "it was told nothing";
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  const auto condition = model::find_condition(store.view().node(NodeId("n1"))->status,
                                               model::ConditionKind::identity);
  ASSERT_NE(condition, nullptr);
  EXPECT_THAT(condition->reason, HasSubstr("two machines use the identity of node n1"));
}

TEST_F(DispatcherTest, ACopyThatGivesUpIsForgotten) {
  connect("n1");
  const model::SessionId first_session = sessions["n1"];
  open("n1");
  hello("n1", "daemon2");
  dispatcher->receive(first_session, model::AgentHeartbeat{});
  for (int i = 0; i < 70; ++i) {
    dispatcher->receive(first_session, model::AgentHeartbeat{});
    world.run_for(seconds(1));
  }
  EXPECT_TRUE(store.view().node(NodeId("n1"))->status.conditions.empty());
}

TEST_F(DispatcherTest, ARestartedDaemonIsLetInWhenTheStreamOfTheOldOneBreaks) {
  connect("n1");
  const model::SessionId old_session = sessions["n1"];
  const auto restarted = open("n1");
  hello("n1", "daemon2");
  dispatcher->stream_closed(old_session);
  EXPECT_FALSE(restarted->closed);
  EXPECT_FALSE(restarted->messages.empty());
  EXPECT_EQ(node_state("n1"), NodeState::ready);
  EXPECT_TRUE(store.view().node(NodeId("n1"))->status.conditions.empty());
}

TEST_F(DispatcherTest, ADaemonOfAMachineThatDiedWithoutAWordIsLetInWhenItsTimeIsUp) {
  const auto silent = connect("n1");
  world.run_for(seconds(2));
  const auto restarted = open("n1");
  hello("n1", "daemon2");
  world.run_for(seconds(2));
  EXPECT_TRUE(silent->closed);
  EXPECT_FALSE(restarted->closed);
  EXPECT_FALSE(restarted->messages.empty());
  EXPECT_EQ(node_state("n1"), NodeState::ready);
}

TEST_F(DispatcherTest, WhoDoesNotSayHelloFirstIsCutOff) {
  const auto inbox = open("n1");
  beat("n1");
  ASSERT_TRUE(inbox->closed);
  EXPECT_EQ(inbox->closed->code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DispatcherTest, ChangesGoOutTogetherSoonAfterTheFirst) {
  const auto inbox = connect("n1");
  add_task("t1", "n1");
  for (int i = 2; i < 12; ++i) {
    world.run_for(milliseconds(1));
    add_task("t" + std::to_string(i), "n1");
  }
  EXPECT_EQ(inbox->all<AssignmentSet>().size(), 1u);
  world.run_for(kAssignmentDelay - milliseconds(10));
  ASSERT_EQ(inbox->all<AssignmentSet>().size(), 2u);
  EXPECT_FALSE(inbox->last<AssignmentSet>().is_complete);
  EXPECT_EQ(inbox->last<AssignmentSet>().assigned.size(), 11u);
}

TEST_F(DispatcherTest, LaterChangesDoNotPutOffTheFirst) {
  const auto inbox = connect("n1");
  for (int i = 0; i < 100; ++i) {
    add_task("t" + std::to_string(i), "n1");
    world.run_for(milliseconds(1));
  }
  EXPECT_GE(inbox->all<AssignmentSet>().size(), 4u);
}

TEST_F(DispatcherTest, ManyChangesGoOutAtOnce) {
  const auto inbox = connect("n1");
  state::ChangeSet changes;
  for (size_t i = 0; i < kMaxNotedChanges; ++i) {
    model::Task task;
    task.id = TaskId("t" + std::to_string(i));
    task.service = ServiceId("web");
    task.revision = 1;
    task.node = NodeId("n1");
    task.status.state = TaskState::assigned;
    changes.put(task);
  }
  commit(std::move(changes));
  world.settle();
  EXPECT_EQ(inbox->last<AssignmentSet>().assigned.size(), kMaxNotedChanges);
}

TEST_F(DispatcherTest, ReportsOfAnAgentAreNotEchoedToIt) {
  add_task("t1", "n1");
  const auto inbox = connect("n1");
  send_report("n1", "t1", TaskState::running);
  world.run_for(seconds(1));
  EXPECT_EQ(observed("t1"), TaskState::running);
  EXPECT_EQ(inbox->all<AssignmentSet>().size(), 1u);
}

TEST_F(DispatcherTest, AgentsHearOnlyOfTheirOwnTasks) {
  const auto one = connect("n1");
  const auto two = connect("n2");
  add_task("t1", "n1");
  world.run_for(seconds(1));
  EXPECT_EQ(one->all<AssignmentSet>().size(), 2u);
  EXPECT_EQ(two->all<AssignmentSet>().size(), 1u);
}

TEST_F(DispatcherTest, ATaskThatRunsBecomesAnEndpointEverywhere) {
  add_task("t1", "n1");
  connect("n1");
  const auto other = connect("n2");
  send_report("n1", "t1", TaskState::running);
  ASSERT_TRUE(world.run_until([&] { return other->all<MeshTable>().size() == 2; }, seconds(1)));
  const MeshTable table = other->last<MeshTable>();
  ASSERT_EQ(table.services[0].endpoints.size(), 1u);
  EXPECT_EQ(table.services[0].endpoints[0].mesh_address, "n1:7946");
  EXPECT_GT(table.position, other->all<MeshTable>()[0].position);
}

TEST_F(DispatcherTest, ChangesOfTheMeshTableShareOnePush) {
  for (int i = 0; i < 10; ++i) {
    add_task("t" + std::to_string(i), "n1");
  }
  const auto inbox = connect("n1");
  world.run_for(seconds(1));
  const size_t before = inbox->all<MeshTable>().size();
  for (int i = 0; i < 10; ++i) {
    set_observed("t" + std::to_string(i), TaskState::running);
  }
  world.run_for(seconds(1));
  ASSERT_EQ(inbox->all<MeshTable>().size(), before + 1);
  EXPECT_EQ(inbox->last<MeshTable>().services[0].endpoints.size(), 10u);
}

TEST_F(DispatcherTest, AHelloThatComesWithAChangeOfTheTableDoesNotKeepItFromOthers) {
  const auto first = connect("n1");
  world.run_for(seconds(1));
  add_task("t1", "n1", TaskState::running);
  connect("n2");  // brings the table up to date for itself
  world.run_for(seconds(1));
  EXPECT_EQ(first->last<MeshTable>().services[0].endpoints.size(), 1u);
}

TEST_F(DispatcherTest, ManagersArePushedWhenTheyChange) {
  const auto inbox = connect("n1");
  dispatcher->set_managers({{"m2:2377", "m1:2377"}});
  EXPECT_THAT(inbox->last<model::ManagerList>().addresses, ElementsAre("m2:2377", "m1:2377"));
}

TEST_F(DispatcherTest, APromotedNodeIsToldItsRoleOnce) {
  const auto inbox = connect("n1");
  change_node("n1", [](model::Node& node) { node.spec.role = model::Role::manager; });
  change_node("n1", [](model::Node& node) { node.spec.labels["zone"] = "a"; });
  ASSERT_EQ(inbox->all<model::RoleChange>().size(), 1u);
  EXPECT_EQ(inbox->last<model::RoleChange>().role, model::Role::manager);
  beat("n1");
  EXPECT_EQ(inbox->last<model::SessionAccepted>().role, model::Role::manager);
}

TEST_F(DispatcherTest, ProgressIsShownWithoutBeingStored) {
  add_task("t1", "n1");
  connect("n1");
  send_report("n1", "t1", TaskState::preparing);
  ASSERT_NE(dispatcher->soft_status(TaskId("t1")), nullptr);
  EXPECT_EQ(dispatcher->soft_status(TaskId("t1"))->state, TaskState::preparing);
  EXPECT_EQ(dispatcher->soft_status(TaskId("t2")), nullptr);
}

TEST_F(DispatcherTest, ALeaderThatStepsDownClosesItsSessions) {
  const auto inbox = connect("n1");
  dispatcher.reset();
  ASSERT_TRUE(inbox->closed);
  EXPECT_EQ(inbox->closed->code(), absl::StatusCode::kUnavailable);
}

TEST_F(DispatcherTest, OutputsHeldByTheGateOutliveTheDispatcherSafely) {
  has_quorum = false;
  const auto inbox = connect("n1");
  dispatcher.reset();
  restore_quorum();
  EXPECT_TRUE(inbox->messages.empty());
}

}  // namespace
}  // namespace swarm::dispatcher
