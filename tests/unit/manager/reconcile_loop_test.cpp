#include "manager/reconcile_loop.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "support/build.h"
#include "support/simulated_loop.h"

namespace swarm::manager {
namespace {

using Plan = std::function<state::ChangeSet(const state::View&, WallTime)>;

// Does what the test says.
class ScriptedReconciler final : public state::Reconciler {
 public:
  const char* name() const override { return "scripted"; }
  void load(const state::View&, WallTime) override { ++loads; }
  void observe(const state::View&, const std::vector<state::Change>& changes) override {
    observed += changes.size();
  }
  state::ChangeSet decide(const state::View& view, WallTime now) override {
    ++decisions;
    return plan(view, now);
  }
  bool has_more() const override { return more; }
  std::optional<WallTime> next_deadline(const state::View&) const override { return deadline; }

  Plan plan = [](const state::View&, WallTime) { return state::ChangeSet{}; };
  bool more = false;
  std::optional<WallTime> deadline;
  int loads = 0;
  int decisions = 0;
  size_t observed = 0;
};

class ReconcileLoopTest : public ::testing::Test, private state::Proposer {
 protected:
  ReconcileLoopTest() {
    std::vector<std::unique_ptr<state::Reconciler>> reconcilers;
    for (ScriptedReconciler** reconciler : {&first_, &second_}) {
      auto made = std::make_unique<ScriptedReconciler>();
      *reconciler = made.get();
      reconcilers.push_back(std::move(made));
    }
    store_.lead(*this);
    reconcile_ = std::make_unique<ReconcileLoop>(loop_, store_, std::move(reconcilers));
    store_.set_observer([this](model::Position, const std::vector<state::Change>& changes) {
      reconcile_->observe(changes);
    });
  }

  void propose(model::Position, std::string) override {}

  static state::ChangeSet putting(const std::string& service) {
    state::ChangeSet changes;
    const model::Service made = test::service_of(service, 1);
    changes.put(test::revision_of(made));
    changes.put(made);
    return changes;
  }
  bool has(const std::string& service) const {
    return store_.view().service_by_name(service) != nullptr;
  }

  test::World world_;
  test::SimulatedLoop loop_{world_};
  state::Store store_;
  ScriptedReconciler* first_ = nullptr;
  ScriptedReconciler* second_ = nullptr;
  std::unique_ptr<ReconcileLoop> reconcile_;
};

TEST_F(ReconcileLoopTest, LoadsEverybodyAndAsksEverybodyOnce) {
  reconcile_->start();
  EXPECT_EQ(first_->loads, 1);
  EXPECT_EQ(second_->loads, 1);
  EXPECT_EQ(first_->decisions, 0) << "nothing is decided within start";
  world_.settle();
  EXPECT_EQ(first_->decisions, 1);
  EXPECT_EQ(second_->decisions, 1);
}

TEST_F(ReconcileLoopTest, GoesRoundUntilNobodyHasAnythingToAdd) {
  first_->plan = [](const state::View& view, WallTime) {
    return view.service_by_name("b") != nullptr && view.service_by_name("c") == nullptr
               ? putting("c")
               : state::ChangeSet{};
  };
  second_->plan = [](const state::View& view, WallTime) {
    return view.service_by_name("b") == nullptr ? putting("b") : state::ChangeSet{};
  };
  reconcile_->start();
  world_.settle();
  EXPECT_TRUE(has("b"));
  EXPECT_TRUE(has("c")) << "decided on what another decided";
  const int rest = first_->decisions;
  world_.run_for(minutes(1));
  EXPECT_EQ(first_->decisions, rest) << "at rest nobody is asked";
}

TEST_F(ReconcileLoopTest, WhoHasMoreIsAskedAgain) {
  first_->plan = [this](const state::View&, WallTime) {
    first_->more = first_->decisions < 4;
    return state::ChangeSet{};
  };
  reconcile_->start();
  world_.settle();
  EXPECT_EQ(first_->decisions, 4);
}

TEST_F(ReconcileLoopTest, OneRoundIsOneCallbackSoThatOthersGetTheirTurn) {
  bool had_turn = false;
  first_->plan = [&](const state::View&, WallTime) {
    first_->more = !had_turn;
    EXPECT_LT(first_->decisions, 10);
    return state::ChangeSet{};
  };
  reconcile_->start();
  loop_.post([&had_turn] { had_turn = true; });
  world_.settle();
  EXPECT_TRUE(had_turn);
}

TEST_F(ReconcileLoopTest, ATransactionOfOthersWakesIt) {
  reconcile_->start();
  world_.settle();
  ASSERT_TRUE(store_.commit(putting("a"), loop_.wall_now()).ok());
  EXPECT_EQ(first_->observed, 2U);
  EXPECT_EQ(first_->decisions, 1) << "never decides from within a transaction";
  world_.settle();
  EXPECT_EQ(first_->decisions, 2);
}

TEST_F(ReconcileLoopTest, TheEarliestDeadlineWakesIt) {
  first_->deadline = loop_.wall_now() + seconds(30);
  second_->deadline = loop_.wall_now() + seconds(10);
  second_->plan = [this](const state::View&, WallTime now) {
    if (second_->deadline && now >= *second_->deadline) {
      second_->deadline.reset();
      return putting("due");
    }
    return state::ChangeSet{};
  };
  reconcile_->start();
  world_.run_for(milliseconds(9'999));
  EXPECT_FALSE(has("due"));
  world_.run_for(milliseconds(1));
  EXPECT_TRUE(has("due"));
}

TEST_F(ReconcileLoopTest, WhatTheStoreRefusesIsLookedAtAnew) {
  bool is_right = false;
  first_->plan = [&](const state::View& view, WallTime) {
    if (view.service_by_name("a") != nullptr) {
      return state::ChangeSet{};
    }
    state::ChangeSet changes = putting("a");
    if (!is_right) {
      model::Service stale = test::service_of("stale", 1);
      stale.meta.version = 99;
      changes.put(stale);
    }
    return changes;
  };
  reconcile_->start();
  world_.settle();
  EXPECT_FALSE(has("a"));
  EXPECT_EQ(first_->loads, 2);
  EXPECT_EQ(second_->decisions, 1) << "the others go on";
  is_right = true;
  world_.run_for(seconds(1));
  EXPECT_TRUE(has("a")) << "tried again by itself";
}

TEST_F(ReconcileLoopTest, NothingHappensOnceItIsGone) {
  reconcile_->start();
  store_.set_observer(nullptr);
  reconcile_.reset();
  world_.run_for(seconds(1));
  SUCCEED();
}

}  // namespace
}  // namespace swarm::manager
