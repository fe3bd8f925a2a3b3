#include "manager/role_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/build.h"
#include "support/simulated_loop.h"

namespace swarm::manager {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RoleManagerTest : public ::testing::Test, private state::Proposer {
 protected:
  RoleManagerTest() {
    store_.lead(*this);
    state::ChangeSet changes;
    model::Cluster cluster;
    cluster.id = model::SwarmId("swarm");
    changes.put(cluster);
    for (uint64_t i = 1; i <= 3; ++i) {
      model::Node node = test::ready_node("m" + std::to_string(i));
      node.spec.role = model::Role::manager;
      node.role = model::Role::manager;
      node.manager = model::ManagerStatus{model::MemberId(i), "address"};
      changes.put(node);
    }
    EXPECT_TRUE(store_.commit(std::move(changes), loop_.wall_now()).ok());
    roles_ = std::make_unique<RoleManager>(
        loop_, store_, model::NodeId("m1"),
        RoleManager::Membership{[this](model::MemberId member, RoleManager::Done done) {
                                  calls_.push_back("remove " + std::to_string(member.value()));
                                  done_.push_back(std::move(done));
                                },
                                [this](RoleManager::Done done) {
                                  calls_.emplace_back("transfer");
                                  done_.push_back(std::move(done));
                                }});
    store_.set_observer([this](model::Position, const std::vector<state::Change>& changes) {
      roles_->observe(changes);
    });
    roles_->start();
    world_.settle();
  }

  void propose(model::Position, std::string) override {}

  void demote(const std::string& id) {
    model::Node node = *store_.view().node(model::NodeId(id));
    node.spec.role = model::Role::worker;
    state::ChangeSet changes;
    changes.put(node);
    ASSERT_TRUE(store_.commit(std::move(changes), loop_.wall_now()).ok());
    world_.settle();
  }
  void finish(Status status) {
    RoleManager::Done done = std::move(done_.back());
    done_.pop_back();
    done(std::move(status));
    world_.settle();
  }
  bool is_member(const std::string& id) const {
    return store_.view().node(model::NodeId(id))->manager.has_value();
  }

  test::World world_;
  test::SimulatedLoop loop_{world_};
  state::Store store_;
  std::vector<std::string> calls_;
  std::vector<RoleManager::Done> done_;
  std::unique_ptr<RoleManager> roles_;
};

TEST_F(RoleManagerTest, LeavesManagersAlone) {
  EXPECT_THAT(calls_, IsEmpty());
}

TEST_F(RoleManagerTest, ADemotedNodeLeavesTheGroupBeforeItsRecordSaysSo) {
  demote("m2");
  EXPECT_THAT(calls_, ElementsAre("remove 2"));
  EXPECT_TRUE(is_member("m2"));
  finish(absl::OkStatus());
  EXPECT_FALSE(is_member("m2"));
  EXPECT_TRUE(store_.view().cluster()->removed_members.contains(model::MemberId(2)));
}

TEST_F(RoleManagerTest, ChangesOneMemberAtATime) {
  demote("m2");
  demote("m3");
  EXPECT_THAT(calls_, ElementsAre("remove 2"));
  finish(absl::OkStatus());
  EXPECT_THAT(calls_, ElementsAre("remove 2", "remove 3"));
}

TEST_F(RoleManagerTest, WhatFailedIsTriedAgainLater) {
  demote("m2");
  finish(absl::UnavailableError("no quorum"));
  EXPECT_TRUE(is_member("m2"));
  EXPECT_THAT(calls_, ElementsAre("remove 2"));
  world_.run_for(seconds(2));
  EXPECT_THAT(calls_, ElementsAre("remove 2", "remove 2"));
}

TEST_F(RoleManagerTest, ALeaderThatIsDemotedHandsOverInsteadOfRemovingItself) {
  demote("m1");
  EXPECT_THAT(calls_, ElementsAre("transfer"));
  finish(absl::OkStatus());
  EXPECT_TRUE(is_member("m1")) << "the next leader removes it";
}

TEST_F(RoleManagerTest, AMemberWhoseNodeWasRemovedLeavesTheGroup) {
  state::ChangeSet changes;
  model::Cluster cluster = *store_.view().cluster();
  cluster.removed_members.insert(model::MemberId(3));
  changes.put(cluster);
  changes.remove(model::NodeId("m3"));
  ASSERT_TRUE(store_.commit(std::move(changes), loop_.wall_now()).ok());
  world_.settle();
  EXPECT_THAT(calls_, ElementsAre("remove 3"));
  finish(absl::UnavailableError("another change is under way"));
  world_.run_for(seconds(2));
  EXPECT_THAT(calls_, ElementsAre("remove 3", "remove 3"));
  finish(absl::OkStatus());
  world_.run_for(seconds(2));
  EXPECT_THAT(calls_, ElementsAre("remove 3", "remove 3"));
}

// The leader that removed the node may be gone before the group let the member go.
TEST_F(RoleManagerTest, ANewLeaderTakesOutMembersThatWereRemovedBefore) {
  state::ChangeSet changes;
  model::Cluster cluster = *store_.view().cluster();
  cluster.removed_members.insert(model::MemberId(9));
  changes.put(cluster);
  ASSERT_TRUE(store_.commit(std::move(changes), loop_.wall_now()).ok());
  roles_->start();
  world_.settle();
  EXPECT_THAT(calls_, ElementsAre("remove 9"));
  finish(absl::NotFoundError("member 9 is not in the group"));
  world_.run_for(seconds(2));
  EXPECT_THAT(calls_, ElementsAre("remove 9"));
}

TEST_F(RoleManagerTest, AnAnswerAfterItsEndIsNotHeard) {
  demote("m2");
  store_.set_observer(nullptr);
  roles_.reset();
  finish(absl::OkStatus());
  EXPECT_TRUE(is_member("m2"));
}

}  // namespace
}  // namespace swarm::manager
