#include <gtest/gtest.h>

#include <vector>

#include "model/change_set.h"
#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

namespace swarm::model {
namespace {

template <class Enum, class Parse>
void expect_both_ways(const std::vector<std::pair<Enum, std::string>>& rows, Parse parse) {
  for (const auto& [value, text] : rows) {
    EXPECT_EQ(to_string(value), text);
    EXPECT_EQ(parse(text), value) << text;
  }
  for (const char* text : {"", "nonsense", "Worker", "TCP", " any"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

TEST(Names, AreTheWordsOfFlagsBothWays) {
  expect_both_ways<Role>({{Role::worker, "worker"}, {Role::manager, "manager"}}, parse_role);
  expect_both_ways<Availability>({{Availability::active, "active"},
                                  {Availability::pause, "pause"},
                                  {Availability::drain, "drain"}},
                                 parse_availability);
  expect_both_ways<RestartCondition>({{RestartCondition::none, "none"},
                                      {RestartCondition::on_failure, "on-failure"},
                                      {RestartCondition::any, "any"}},
                                     parse_restart_condition);
  expect_both_ways<FailureAction>({{FailureAction::pause, "pause"},
                                   {FailureAction::continue_on, "continue"},
                                   {FailureAction::rollback, "rollback"}},
                                  parse_failure_action);
  expect_both_ways<UpdateOrder>(
      {{UpdateOrder::start_first, "start-first"}, {UpdateOrder::stop_first, "stop-first"}},
      parse_update_order);
  expect_both_ways<PortProtocol>({{PortProtocol::tcp, "tcp"}, {PortProtocol::udp, "udp"}},
                                 parse_port_protocol);
  expect_both_ways<PublishMode>({{PublishMode::ingress, "ingress"}, {PublishMode::host, "host"}},
                                parse_publish_mode);
  expect_both_ways<MountType>(
      {{MountType::bind, "bind"}, {MountType::volume, "volume"}, {MountType::tmpfs, "tmpfs"}},
      parse_mount_type);
}

TEST(Names, CoverEveryTaskState) {
  size_t known = 0;
  for (int number = 0; number < 256; ++number) {
    const auto state = static_cast<TaskState>(number);
    const bool is_state = number <= 130 && number % 10 == 0;
    if (is_state) {
      EXPECT_EQ(parse_task_state(to_string(state)), state);
      ++known;
    }
  }
  EXPECT_EQ(known, 14u);
  EXPECT_EQ(to_string(TaskState::fresh), "new");
  EXPECT_EQ(to_string(TaskState::orphaned), "orphaned");
}

TEST(Names, CoverStatesThatAreOnlyShown) {
  EXPECT_EQ(to_string(NodeState::suspect), "suspect");
  EXPECT_EQ(to_string(NodeState::down), "down");
  EXPECT_EQ(to_string(WaitReason::no_suitable_node), "no_suitable_node");
  EXPECT_EQ(to_string(WaitReason::engine), "engine");
  EXPECT_EQ(to_string(RolloutState::rollback_completed), "rollback_completed");
}

TEST(RolloutPhases, EveryStateIsInExactlyOne) {
  for (const RolloutState state :
       {RolloutState::updating, RolloutState::paused, RolloutState::completed,
        RolloutState::rollback_started, RolloutState::rollback_paused,
        RolloutState::rollback_completed}) {
    EXPECT_EQ(is_moving(state) + is_paused(state) + is_final(state), 1) << to_string(state);
  }
  EXPECT_TRUE(is_moving(RolloutState::rollback_started));
  EXPECT_TRUE(is_paused(RolloutState::rollback_paused));
  EXPECT_TRUE(is_final(RolloutState::rollback_completed));
}

TEST(NamesDeath, AValueOutsideTheEnumIsABrokenInvariant) {
  EXPECT_DEATH(to_string(static_cast<TaskState>(7)), "saw number 7");
}

TEST(Names, OfANodeIsItsHostnameOrItsIdUntilItHasOne) {
  Node node;
  node.id = NodeId("n1");
  EXPECT_EQ(display_name(node), "n1");
  node.description.hostname = "alpha";
  EXPECT_EQ(display_name(node), "alpha");
}

TEST(Names, OfATaskIsServiceAndSlot) {
  Task task;
  task.slot = 3;
  EXPECT_EQ(task_name("web", task), "web.3");
}

TEST(ChangeSet, AppendsInOrder) {
  ChangeSet first;
  EXPECT_TRUE(first.is_empty());
  first.put(Node());
  ChangeSet second;
  second.put(Task());
  second.remove(TaskId("t"));
  first.append(std::move(second));
  ASSERT_EQ(first.puts.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<TaskPtr>(first.puts[1]));
  EXPECT_EQ(first.removals, std::vector<ChangeSet::Key>{TaskId("t")});
}

}  // namespace
}  // namespace swarm::model
