#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

using model::TaskState;

TEST(Handover, RestartOfAStopFirstSlotAlsoWaitsForWhatStillStops) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.update.edit().order = model::UpdateOrder::stop_first;
  });
  swarm.settle();
  const model::TaskId old = swarm.only(1).id;
  swarm.stops = false;
  swarm.update();
  swarm.agents_act();
  swarm.report(swarm.only(1).id, TaskState::rejected);
  EXPECT_EQ(swarm.only(1).status.wait, model::WaitReason::predecessor);
  swarm.advance(minutes(1));
  EXPECT_EQ(swarm.only(1).desired, TaskState::ready);
  EXPECT_EQ(swarm.only(1).predecessor, old);
  swarm.report(old, TaskState::shutdown);
  EXPECT_EQ(swarm.only(1).desired, TaskState::running);
}

TEST(Handover, HeldTaskIsPreparedButDoesNotRun) {
  Swarm swarm;
  swarm.create(1);
  swarm.settle();
  swarm.fail(swarm.only(1).id);
  swarm.settle();
  EXPECT_EQ(swarm.only(1).status.state, TaskState::ready);
  EXPECT_FALSE(swarm.only(1).node.is_empty());
}

TEST(Handover, PredecessorWhoseRecordIsGoneIsNotWaitedFor) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    spec.update.edit().order = model::UpdateOrder::stop_first;
  });
  swarm.settle();
  const model::TaskId old = swarm.only(1).id;
  swarm.stops = false;
  swarm.update();
  state::ChangeSet changes;
  changes.remove(old);
  swarm.commit(std::move(changes));
  swarm.run();
  EXPECT_EQ(swarm.only(1).desired, TaskState::running);
}

TEST(Handover, SupersededTaskStopsAlsoUnderANewLeader) {
  Swarm swarm;
  swarm.create(1, [](model::ServiceSpec& spec) {
    Swarm::serve_a_port(spec);
    spec.update.edit().monitor = Duration{0};
  });
  swarm.settle();
  swarm.update();
  swarm.place_all();
  // The report is stored, but the leader is lost before anybody acts on it.
  model::Task next = swarm.wanted(1).back();
  next.status.state = TaskState::running;
  next.status.running_since = swarm.now();
  swarm.put(next);
  swarm.new_leader(5);
  swarm.run();
  EXPECT_EQ(swarm.only(1).id, next.id);
}

}  // namespace
}  // namespace swarm::orchestrator
