#include "manager/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manager_fixture.h"

namespace swarm::manager {
namespace {

using GatewayTest = ManagerTest;

TEST_F(GatewayTest, ANewSwarmOfOneLeadsAndKnowsItself) {
  start_managers(1);
  Machine& only = leader();
  EXPECT_TRUE(only.gateway->leader().is_self);
  EXPECT_EQ(only.gateway->leader().address, only.name);
  const state::View view = only.manager->store().view();
  ASSERT_NE(view.cluster(), nullptr);
  EXPECT_EQ(view.cluster()->id, managers_.swarm());
  ASSERT_NE(view.node(only.node), nullptr);
  EXPECT_EQ(view.node(only.node)->manager->member, only.member);
}

TEST_F(GatewayTest, WhatWasWrittenIsRead) {
  start_managers(1);
  ASSERT_TRUE(create(leader(), "web").ok());
  EXPECT_EQ(*reads(leader(), "web"), true);
  EXPECT_EQ(*reads(leader(), "other"), false);
}

TEST_F(GatewayTest, AnErrorOfTheUseCaseComesBackAndChangesNothing) {
  start_managers(1);
  ASSERT_TRUE(create(leader(), "web").ok());
  const model::Position head = leader().manager->store().head();
  EXPECT_TRUE(absl::IsAlreadyExists(create(leader(), "web")));
  EXPECT_EQ(leader().manager->store().committed(), head);
}

TEST_F(GatewayTest, AnErrorWaitsUntilWhatItWasComputedFromIsCommitted) {
  start_managers(3);
  Machine& cut_off = leader();
  isolate(cut_off);
  std::vector<Status> answers;
  for (int i = 0; i < 2; ++i) {
    cut_off.gateway->write(making("web"),
                           [&answers](Status s) { answers.push_back(std::move(s)); });
  }
  world_.run_for(milliseconds(100));
  EXPECT_TRUE(shows(cut_off, "web")) << "the head has it";
  EXPECT_TRUE(answers.empty()) << "neither the success nor the name's being taken is certain";
  world_.run_for(seconds(5));
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_TRUE(absl::IsUnavailable(answers[0]));
  EXPECT_TRUE(absl::IsUnavailable(answers[1]));
  EXPECT_FALSE(shows(cut_off, "web")) << "undone";
}

TEST_F(GatewayTest, ARequestThatWasCarriedOutIsRecalledByTheNextLeader) {
  start_managers(3);
  const model::RequestId first{.number = 7};
  EXPECT_EQ(write_once(leader(), first, "web"), "made");
  const model::RequestId again{.number = 7, .repeated_since = leader().gateway->committed()};
  EXPECT_EQ(write_once(leader(), again, "web"), "recalled");
  managers_.crash(leader(), false);
  EXPECT_EQ(write_once(leader(), again, "web"), "recalled");
}

TEST_F(GatewayTest, ARequestThatWasDroppedWithItsLeaderIsCarriedOutByTheNext) {
  start_managers(3);
  Machine& cut_off = leader();
  const model::Position since = cut_off.gateway->committed();
  isolate(cut_off);
  EXPECT_EQ(write_once(cut_off, {.number = 7}, "web"), "unavailable");
  EXPECT_EQ(write_once(leader(), {.number = 7, .repeated_since = since}, "web"), "made");
}

TEST_F(GatewayTest, AReadOfALeaderThatIsCutOffIsNotAnswered) {
  start_managers(3);
  Machine& cut_off = leader();
  isolate(cut_off);
  EXPECT_TRUE(absl::IsUnavailable(reads(cut_off, "web").status()));
}

TEST_F(GatewayTest, AFollowerRefusesWritesAndReadsAndNamesTheLeader) {
  start_managers(3);
  const std::string address = leader().name;
  EXPECT_TRUE(absl::IsUnavailable(create(follower(), "web")));
  EXPECT_TRUE(absl::IsUnavailable(reads(follower(), "web").status()));
  EXPECT_FALSE(follower().gateway->leader().is_self);
  EXPECT_EQ(follower().gateway->leader().address, address);
}

TEST_F(GatewayTest, AFollowerAnswersStaleReadsFromWhatIsCommitted) {
  start_managers(3);
  ASSERT_TRUE(create(leader(), "web").ok());
  world_.run_for(seconds(1));
  bool is_there = false;
  std::optional<Status> answer;
  follower().gateway->stale_read(
      [&](const state::View& view) {
        is_there = view.service_by_name("web") != nullptr;
        return absl::OkStatus();
      },
      [&answer](Status status) { answer = std::move(status); });
  ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(1)));
  EXPECT_TRUE(answer->ok());
  EXPECT_TRUE(is_there);
}

TEST_F(GatewayTest, AnswersCallsThatWereUnderWayWhenTheManagerStops) {
  start_managers(1);
  std::optional<Status> answer;
  leader().gateway->write(making("web"), [&answer](Status status) { answer = std::move(status); });
  managers_.crash(leader(), false);
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(absl::IsUnavailable(*answer));
}

TEST_F(GatewayTest, IssuesACertificateForAValidTokenAndRecordsTheNode) {
  start_managers(1);
  const model::NodeId node = managers_.admit_worker();
  ASSERT_FALSE(node.is_empty());
  const state::NodePtr record = leader().manager->store().view().node(node);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->role, model::Role::worker);
}

TEST_F(GatewayTest, RefusesAWrongTokenAndARequestThatIsNone) {
  start_managers(1);
  const size_t nodes = leader().manager->store().view().nodes().size();
  for (const auto& [token, request] :
       {std::pair("wrong", "request"), std::pair(test::kWorkerToken, "")}) {
    std::optional<Status> answer;
    leader().gateway->issue_certificate(token, request, model::Availability::active,
                                        [&answer](auto issued) { answer = issued.status(); });
    ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(5)));
    EXPECT_FALSE(answer->ok());
  }
  EXPECT_EQ(leader().manager->store().view().nodes().size(), nodes);
}

TEST_F(GatewayTest, RenewsForKnownNodesOnly) {
  start_managers(1);
  const model::NodeId node = managers_.admit_worker();
  for (const auto& [who, code] :
       {std::pair(node, absl::StatusCode::kOk),
        std::pair(model::NodeId("stranger"), absl::StatusCode::kPermissionDenied)}) {
    std::optional<Status> answer;
    leader().gateway->renew_certificate(who, "request",
                                        [&answer](auto issued) { answer = issued.status(); });
    ASSERT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(5)));
    EXPECT_EQ(answer->code(), code);
  }
}

api::Gateway::Write demoting(const model::NodeId& node) {
  return [node](const state::View& view, WallTime now, Random& random) -> Result<state::ChangeSet> {
    std::set<model::MemberId> reachable;
    for (const auto& [id, known] : view.nodes()) {
      if (known->manager.has_value()) reachable.insert(known->manager->member);
    }
    model::NodeSpec spec = view.node(node)->spec;
    spec.role = model::Role::worker;
    return control::update_node({view, now, random}, node, view.node(node)->meta.version, spec,
                                reachable);
  };
}

// The certificates of all managers have expired: none can connect to another.
TEST_F(GatewayTest, AManagerThatFindsNoLeaderRenewsItsOwnExpiredCertificate) {
  start_managers(3);
  const model::NodeId worker = managers_.admit_worker();
  const model::NodeId demoted = follower().node;
  ASSERT_TRUE(write(leader(), demoting(demoted)).ok());
  world_.run_for(seconds(1));
  Machine& cut_off = leader();
  isolate(cut_off);
  world_.run_for(seconds(5));
  ASSERT_FALSE(cut_off.leads());
  const auto renewed = [&](const std::string& certificate) {
    std::optional<Status> answer;
    cut_off.gateway->renew_without_leader(certificate, "request",
                                          [&answer](auto issued) { answer = issued.status(); });
    EXPECT_TRUE(world_.run_until([&answer] { return answer.has_value(); }, seconds(5)));
    return answer.value_or(absl::UnknownError("no answer"));
  };
  EXPECT_TRUE(renewed(cut_off.node.value()).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(renewed(""))) << "beyond the grace";
  EXPECT_TRUE(absl::IsPermissionDenied(renewed(worker.value())));
  EXPECT_TRUE(absl::IsPermissionDenied(renewed(demoted.value())));
  EXPECT_TRUE(absl::IsPermissionDenied(renewed("stranger")));
}

}  // namespace
}  // namespace swarm::manager
