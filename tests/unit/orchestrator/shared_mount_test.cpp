#include "unit/orchestrator/harness.h"

// Two tasks of a slot must not write to the same mount unless the user asked for it.
namespace swarm::orchestrator {
namespace {

using model::TaskState;

void mount_volume(model::TaskTemplate& task) {
  task.container.mounts = {{.type = model::MountType::volume, .source = "data", .target = "/data"}};
}

void with_volume(model::ServiceSpec& spec) {
  mount_volume(spec.task);
}

// The old task still stops: its successor is held behind it, then runs.
void expect_no_overlap(Swarm& swarm, const model::Task& old) {
  swarm.agents_act();
  ASSERT_EQ(swarm.view().task(old.id)->desired, TaskState::shutdown);
  EXPECT_EQ(swarm.only(1).predecessor, old.id);
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  swarm.stops = true;
  swarm.settle();
  EXPECT_EQ(swarm.running(), 1U);
  EXPECT_NE(swarm.only(1).id, old.id);
}

TEST(SharedMount, UpdateStopsTheOldTaskFirst) {
  Swarm swarm;
  swarm.create(1, with_volume);
  swarm.settle();
  const model::Task old = swarm.only(1);
  swarm.stops = false;
  swarm.update();
  expect_no_overlap(swarm, old);
}

TEST(SharedMount, DrainStopsTheOldTaskFirst) {
  Swarm swarm;
  swarm.create(1, with_volume);
  swarm.settle();
  const model::Task old = swarm.only(1);
  swarm.stops = false;
  swarm.drain(old.node.value());
  expect_no_overlap(swarm, old);
}

TEST(SharedMount, RollbackToARevisionThatMountsStopsTheOldTaskFirst) {
  Swarm swarm;
  swarm.create(1, with_volume);
  swarm.settle();
  // Nothing is shared with a successor that mounts nothing.
  swarm.update([](model::TaskTemplate& task) { task.container.mounts.clear(); });
  EXPECT_EQ(swarm.wanted(1).size(), 2U);
  swarm.live_for(minutes(1));
  const model::Task old = swarm.only(1);
  swarm.stops = false;
  swarm.roll_back();
  expect_no_overlap(swarm, old);
}

TEST(SharedMount, RollbackWaitsForTheTaskOfItsRevisionThatStillStops) {
  Swarm swarm;
  swarm.create(1, with_volume);
  swarm.settle();
  const model::Task first = swarm.only(1);
  swarm.stops = false;
  swarm.update([](model::TaskTemplate& task) { task.container.mounts.clear(); });
  swarm.live_for(seconds(5));  // the trial
  ASSERT_EQ(swarm.view().task(first.id)->desired, TaskState::shutdown);
  swarm.roll_back();
  swarm.agents_act();
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  swarm.stops = true;
  swarm.settle();
  EXPECT_EQ(swarm.running_at(1), 1U);
}

TEST(SharedMount, IsLeftToTheUserWhoAsksForStartFirst) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    with_volume(spec);
    spec.update.edit().order = model::UpdateOrder::start_first;
  });
  swarm.settle();
  swarm.update();
  EXPECT_EQ(swarm.wanted(1).size(), 2U);
  EXPECT_EQ(swarm.running(), 1U);
}

}  // namespace
}  // namespace swarm::orchestrator
