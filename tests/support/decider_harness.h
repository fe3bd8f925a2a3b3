#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/reconciler.h"
#include "support/build.h"

namespace swarm::test {

// A store that leads and whose every transaction is committed at once, some deciders on it, and a
// clock that moves only when told. What manager/reconcile_loop does, without waiting.
class DeciderHarness {
 public:
  using Deciders = std::vector<std::unique_ptr<state::Reconciler>>;

  explicit DeciderHarness(Deciders deciders) : deciders_(std::move(deciders)) {
    store_.lead(proposer_);
    store_.set_observer([this](model::Position, const std::vector<state::Change>& changes) {
      for (const auto& decider : deciders_) {
        decider->observe(store_.view(), changes);
      }
    });
    load();
  }

  WallTime now() const { return now_; }
  state::View view() const { return store_.view(); }
  state::Store& store() { return store_; }

  // Commits what a user, an agent or the dispatcher would, each at an instant of its own.
  void commit(state::ChangeSet changes) {
    now_ += microseconds(1);
    commit_now(std::move(changes));
  }
  void commit_now(state::ChangeSet changes) {
    const Result<model::Position> position = store_.commit(std::move(changes), now_);
    ASSERT_TRUE(position.ok()) << position.status();
    store_.confirm(*position);
  }
  template <class T>
  void put(T object) {
    state::ChangeSet changes;
    changes.put(std::move(object));
    commit(std::move(changes));
  }

  // Lets every decider have its say until none has anything to add.
  void run() {
    constexpr int kMaxRounds = 2'000;
    for (int round = 0; round < kMaxRounds; ++round) {
      if (!run_round()) {
        return;
      }
    }
    FAIL() << "the deciders do not come to rest";
  }

  // Moves the clock, stopping at every stored deadline on the way.
  void advance(Duration duration) {
    const WallTime end = now_ + duration;
    for (auto next = next_deadline(); next && *next <= end; next = next_deadline()) {
      ASSERT_GT(*next, now_) << "a deadline that has passed was not dealt with";
      now_ = *next;
      run();
      if (testing::Test::HasFatalFailure()) {
        return;
      }
      after_step();
    }
    now_ = end;
    run();
    after_step();
  }

  // What a leader change does to deciders: they are gone, others start from the store.
  void replace_deciders(Deciders deciders) {
    deciders_ = std::move(deciders);
    load();
  }

  std::optional<WallTime> next_deadline() const {
    std::optional<WallTime> earliest;
    for (const auto& decider : deciders_) {
      const std::optional<WallTime> next = decider->next_deadline(store_.view());
      if (next && (!earliest || *next < *earliest)) {
        earliest = next;
      }
    }
    return earliest;
  }

  // One transaction of one decider; false when none has anything to add.
  bool step() {
    for (const auto& decider : deciders_) {
      state::ChangeSet changes = decider->decide(store_.view(), now_);
      if (!changes.is_empty()) {
        commit_now(std::move(changes));
        return true;
      }
    }
    return false;
  }

  size_t largest_decision() const { return largest_decision_; }

 protected:
  ~DeciderHarness() = default;
  // After the deciders came to rest at a deadline.
  virtual void after_step() {}
  // After every transaction of a decider.
  virtual void after_commit() {}

 private:
  class SilentProposer final : public state::Proposer {
   public:
    void propose(model::Position, std::string) override {}
  };

  void load() {
    for (const auto& decider : deciders_) {
      decider->load(store_.view(), now_);
    }
  }

  bool run_round() {
    bool has_changed = false;
    for (const auto& decider : deciders_) {
      state::ChangeSet changes = decider->decide(store_.view(), now_);
      const size_t size = changes.puts.size() + changes.removals.size();
      largest_decision_ = std::max(largest_decision_, size);
      if (size > 0) {
        commit_now(std::move(changes));
        if (testing::Test::HasFatalFailure()) {
          return false;
        }
        after_commit();
      }
      has_changed = has_changed || size > 0 || decider->has_more();
    }
    return has_changed;
  }

  WallTime now_ = test_epoch();
  SilentProposer proposer_;
  state::Store store_;
  Deciders deciders_;
  size_t largest_decision_ = 0;
};

}  // namespace swarm::test
