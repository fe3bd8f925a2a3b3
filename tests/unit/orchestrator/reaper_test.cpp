#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

using model::TaskState;

void crash(Swarm& swarm, int times) {
  for (int i = 0; i < times; ++i) {
    swarm.fail(swarm.only(1).id);
    swarm.settle();
  }
}

void without_delay(model::ServiceSpec& spec) {
  spec.task.restart.edit().delay = Duration{0};
}

TEST(Reaper, KeepsTheHistoryLimitPerSlotBesidesTheLiveTask) {
  Swarm swarm;
  swarm.create(2, without_delay);
  swarm.settle();
  const model::TaskId first = swarm.only(1).id;
  crash(swarm, 5);
  EXPECT_EQ(swarm.tasks_in(1).size(), 6U);
  EXPECT_TRUE(swarm.view().task(first));
  crash(swarm, 1);
  EXPECT_EQ(swarm.tasks_in(1).size(), 6U);
  EXPECT_FALSE(swarm.view().task(first)) << "the oldest goes first";
  EXPECT_EQ(swarm.tasks_in(2).size(), 1U);
}

TEST(Reaper, LowerLimitAppliesToWhatIsThere) {
  Swarm swarm;
  model::Cluster cluster;
  swarm.put(cluster);
  swarm.create(1, without_delay);
  swarm.settle();
  crash(swarm, 4);
  cluster = *swarm.view().cluster();
  cluster.task_history_limit = 1;
  swarm.put(cluster);
  swarm.run();
  EXPECT_EQ(swarm.tasks_in(1).size(), 2U);
}

TEST(Reaper, TaskThatHasNotStoppedIsKept) {
  Swarm swarm;
  model::Cluster cluster;
  cluster.task_history_limit = 0;
  swarm.put(cluster);
  swarm.create(1);
  swarm.settle();
  swarm.stops = false;
  swarm.update();
  swarm.live_for(seconds(6));
  EXPECT_EQ(swarm.tasks_in(1).size(), 2U);
  swarm.stops = true;
  swarm.settle();
  EXPECT_EQ(swarm.tasks_in(1).size(), 1U);
}

TEST(Reaper, UnplacedTaskThatIsRemovedGoesAtOnce) {
  Swarm swarm(1, 0);
  swarm.create(2);
  swarm.scale(1);
  EXPECT_EQ(swarm.tasks().size(), 1U);
}

TEST(Reaper, RevisionsPastTheHistoryGoUnlessSomethingNamesThem) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  for (int i = 0; i < 20; ++i) {
    swarm.update();
    swarm.live_for(seconds(6));
  }
  const auto& revisions = swarm.view().revisions_of(swarm.web());
  // 21 is current; tasks of the slot's history name 16 to 20.
  EXPECT_EQ(revisions.size(), 6U + model::kRevisionHistory);
  EXPECT_FALSE(revisions.contains(1));
  EXPECT_TRUE(revisions.contains(21));
}

}  // namespace
}  // namespace swarm::orchestrator
