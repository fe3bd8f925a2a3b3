#include "unit/orchestrator/harness.h"

namespace swarm::orchestrator {
namespace {

// A leader that is lost after every nth transaction of the deciders, whatever was going on.
class UnluckySwarm final : public Swarm {
 public:
  explicit UnluckySwarm(int every) : every_(every) {}

 private:
  void after_step() override {
    if (every_ > 0 && ++steps_ % every_ == 0) {
      new_leader(1'000 + static_cast<uint64_t>(steps_));
    }
  }

  int every_;
  int steps_ = 0;
};

struct Outcome {
  model::RolloutState state;
  std::string message;
  uint64_t changed = 0;
  std::set<model::Slot> failed;
  milliseconds took{};
  size_t running_new = 0;
  size_t running_old = 0;

  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << static_cast<int>(outcome.state) << " '" << outcome.message << "' changed "
             << outcome.changed << " failed " << outcome.failed.size() << " took "
             << outcome.took.count() << " new " << outcome.running_new << " old "
             << outcome.running_old;
}

// Task ids are chance, so what names them is cut off.
std::string without_ids(const std::string& message) {
  return message.substr(0, message.find(" of task"));
}

Outcome update_under(int leader_lost_every, const std::function<void(model::ServiceSpec&)>& spec,
                     bool is_bad) {
  UnluckySwarm swarm(leader_lost_every);
  swarm.create(4, spec);
  swarm.settle();
  if (is_bad) {
    swarm.bad_revisions = {2};
  }
  const WallTime start = swarm.now();
  swarm.update();
  for (int i = 0; i < 600 && is_rollout_moving(*swarm.service()); ++i) {
    swarm.settle();
    swarm.advance(milliseconds(500));
  }
  const model::Rollout& rollout = swarm.rollout();
  return {rollout.state,
          without_ids(rollout.message),
          rollout.slots_changed,
          rollout.failed_slots,
          std::chrono::duration_cast<milliseconds>(swarm.now() - start),
          swarm.running_at(2),
          swarm.running_at(1)};
}

void expect_same_under_all_leaders(const std::function<void(model::ServiceSpec&)>& spec,
                                   bool is_bad = false) {
  const Outcome undisturbed = update_under(0, spec, is_bad);
  for (const int every : {1, 2, 3, 5}) {
    EXPECT_EQ(update_under(every, spec, is_bad), undisturbed)
        << "with the leader lost after every " << every << " steps";
  }
}

TEST(RolloutUnderNewLeaders, GoesOnWhereItStopped) {
  expect_same_under_all_leaders([](model::ServiceSpec& spec) {
    spec.update.edit().parallelism = 2;
    spec.update.edit().delay = seconds(3);
  });
}

TEST(RolloutUnderNewLeaders, StopFirstGoesOnWhereItStopped) {
  expect_same_under_all_leaders([](model::ServiceSpec& spec) {
    spec.update.edit().order = model::UpdateOrder::stop_first;
    spec.update.edit().delay = seconds(1);
  });
}

TEST(RolloutUnderNewLeaders, FailureCountsAreNotForgotten) {
  expect_same_under_all_leaders(
      [](model::ServiceSpec& spec) { spec.update.edit().max_failure_ratio = 0.5; }, true);
}

TEST(RolloutUnderNewLeaders, AutomaticRollbackIsNotForgotten) {
  expect_same_under_all_leaders(
      [](model::ServiceSpec& spec) {
        spec.update.edit().max_failure_ratio = 0.3;
        spec.update.edit().failure_action = model::FailureAction::rollback;
        spec.update.edit().order = model::UpdateOrder::stop_first;
      },
      true);
}

// The harshest form: the deciders are replaced between any two transactions.
TEST(RolloutUnderNewLeaders, EveryTransactionMayBeTheLastOfItsLeader) {
  for (const auto order : {model::UpdateOrder::start_first, model::UpdateOrder::stop_first}) {
    Swarm swarm;
    swarm.create(3, [&](model::ServiceSpec& spec) { spec.update.edit().order = order; });
    swarm.settle();
    swarm.update();
    uint64_t seed = 1;
    for (int i = 0; i < 60; ++i) {
      do {
        swarm.new_leader(++seed);
      } while (swarm.step());
      swarm.agents_act_once();
      swarm.advance(milliseconds(200));
    }
    EXPECT_EQ(swarm.running_at(2), 3U);
    EXPECT_EQ(swarm.running(), 3U);
    EXPECT_EQ(swarm.rollout().state, model::RolloutState::completed);
  }
}

}  // namespace
}  // namespace swarm::orchestrator
