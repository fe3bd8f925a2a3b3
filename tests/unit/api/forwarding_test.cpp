#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <thread>

#include "api/client/client.h"
#include "api/join_client.h"
#include "api/server.h"
#include "support/build.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using ::testing::HasSubstr;

model::ServiceSpec web() {
  model::ServiceSpec spec;
  spec.name = "web";
  spec.task.container.image = "web:1.0";
  return spec;
}

// Manager n1 leads; manager n2 follows and is the one that is asked, on its local socket.
class Forwarding : public ::testing::Test {
 protected:
  void SetUp() override {
    serve_leader("127.0.0.1:0");
    follower_node_->described.node = model::NodeId("n2");
    follower_->set_leader({.is_self = false, .address = address_});
    serve_follower(seconds(20));
  }

  void serve_leader(const std::string& address) {
    leader_server_ = serve(*leader_node_, swarm_.source("n1", model::Role::manager), address);
    address_ = address_of(*leader_server_);
  }
  void serve_follower(Duration budget) {
    follower_server_.reset();
    auto server = Server::listen_local(*follower_node_, folder_.path() / "s",
                                       swarm_.source("n2", model::Role::manager), budget);
    ASSERT_TRUE(server.ok()) << server.status();
    follower_server_ = *std::move(server);
    client_ = Client::connect("unix:" + (folder_.path() / "s").string(), seconds(20));
  }

  // A call on a thread of its own, and what came of it.
  struct Call {
    Watched<std::optional<Status>> outcome;
    std::thread thread;
    ~Call() { thread.join(); }
  };
  static std::unique_ptr<Call> in_background(std::function<Status()> run) {
    auto call = std::make_unique<Call>();
    call->thread = std::thread([raw = call.get(), run = std::move(run)] {
      Status status = run();
      raw->outcome.update([&](auto& outcome) { outcome = std::move(status); });
    });
    return call;
  }
  static Status outcome_of(Call& call) {
    EXPECT_TRUE(call.outcome.wait([](const auto& outcome) { return outcome.has_value(); }));
    return call.outcome.get().value_or(absl::UnknownError("no outcome"));
  }
  static bool has_web(FakeManager& manager) {
    bool found = false;
    manager.read(
        [&](const state::View& view) {
          found = view.service_by_name("web") != nullptr;
          return absl::OkStatus();
        },
        [](Status) {});
    return found;
  }

  TestSwarm swarm_;
  test::ScratchDirectory folder_;
  std::shared_ptr<FakeManager> leader_ = std::make_shared<FakeManager>(swarm_);
  std::shared_ptr<FakeManager> follower_ = std::make_shared<FakeManager>(swarm_);
  std::unique_ptr<FakeNode> leader_node_ = make_manager_node(leader_);
  std::unique_ptr<FakeNode> follower_node_ = make_manager_node(follower_);
  std::string address_;
  std::unique_ptr<Server> leader_server_;
  std::unique_ptr<Server> follower_server_;
  std::unique_ptr<Client> client_;
};

TEST_F(Forwarding, AFollowerAsksTheLeader) {
  const auto id = client_->create_service(web());
  ASSERT_TRUE(id.ok()) << id.status();
  leader_->read(
      [&](const state::View& view) {
        EXPECT_NE(view.service(*id), nullptr);
        return absl::OkStatus();
      },
      [](Status) {});
  follower_->read(
      [&](const state::View& view) {
        EXPECT_TRUE(view.services().empty());
        return absl::OkStatus();
      },
      [](Status) {});
  EXPECT_EQ(client_->list_services()->size(), 1U);
}

TEST_F(Forwarding, ErrorsOfTheLeaderArriveUnchanged) {
  const Status refused = client_->scale_service("nothing", 1);
  follower_->set_leader({.is_self = true, .address = ""});
  EXPECT_EQ(refused, client_->scale_service("nothing", 1));
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
}

TEST_F(Forwarding, SelfIsTheNodeThatWasAsked) {
  leader_->change([](state::ChangeSet& changes) { changes.put(test::ready_node("n2")); });
  const auto self = client_->get_node("self");
  ASSERT_TRUE(self.ok()) << self.status();
  EXPECT_EQ(self->node.id.value(), "n2");
  EXPECT_TRUE(self->is_self);
}

TEST_F(Forwarding, WithoutALeaderTheAnswerComesWithinTheBudgetAndSaysWhy) {
  serve_follower(milliseconds(150));
  follower_->set_leader({});
  const auto listed = client_->list_services();
  EXPECT_EQ(listed.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(listed.status().message(), HasSubstr("the swarm has no leader: fewer than a quorum"));
}

// The budget is a day: whoever knows that there is no quorum does not wait for one.
TEST_F(Forwarding, ALostQuorumIsToldAtOnceWithItsReason) {
  serve_follower(hours(24));
  follower_->set_leader({});
  follower_->set_quorum_loss("the swarm has lost its quorum: web-2");
  const auto listed = client_->list_services();
  EXPECT_EQ(listed.status(), absl::UnavailableError("the swarm has lost its quorum: web-2"));
}

TEST_F(Forwarding, ALeaderThatIsElectedMeanwhileAnswers) {
  follower_->set_leader({});
  std::thread election([&] { follower_->set_leader({.is_self = false, .address = address_}); });
  const auto id = client_->create_service(web());
  election.join();
  EXPECT_TRUE(id.ok()) << id.status();
}

TEST_F(Forwarding, BecomingTheLeaderMeanwhileAnswersHere) {
  follower_->set_leader({.is_self = false, .address = closed_address()});
  std::thread election([&] { follower_->set_leader({.is_self = true, .address = ""}); });
  const auto id = client_->create_service(web());
  election.join();
  EXPECT_TRUE(id.ok()) << id.status();
}

TEST_F(Forwarding, ADeadLeaderIsNotTheEndWhenAnotherIsElected) {
  follower_->set_leader({.is_self = false, .address = closed_address()});
  Watched<bool> is_done;
  std::thread caller([&] {
    const auto id = client_->create_service(web());
    EXPECT_TRUE(id.ok()) << id.status();
    is_done.update([](bool& done) { done = true; });
  });
  follower_->set_leader({.is_self = false, .address = address_});
  EXPECT_TRUE(is_done.wait([](bool done) { return done; }));
  caller.join();
}

TEST_F(Forwarding, ALeaderThatStaysDeadIsNoLeader) {
  serve_follower(milliseconds(300));
  follower_->set_leader({.is_self = false, .address = closed_address()});
  EXPECT_EQ(client_->create_service(web()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(Forwarding, ARequestIsPassedOnOnceOnly) {
  // Each takes the other for the leader.
  serve_follower(milliseconds(300));
  leader_->set_leader({.is_self = false, .address = address_});
  const auto listed = client_->list_services();
  EXPECT_EQ(listed.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(listed.status().message(), HasSubstr("no leader"));
}

TEST_F(Forwarding, AManagerThatIsAboutToLeadIsAskedAgain) {
  leader_->set_leader({});
  std::thread election([&] { leader_->set_leader({.is_self = true, .address = ""}); });
  const auto id = client_->create_service(web());
  election.join();
  EXPECT_TRUE(id.ok()) << id.status();
}

TEST_F(Forwarding, AWriteWhoseLeaderDiesIsCarriedOutByTheNextOne) {
  leader_->keep_calls();
  const auto created = in_background([&] { return client_->create_service(web()).status(); });
  ASSERT_TRUE(leader_->kept.wait([](int kept) { return kept == 1; }));
  follower_->set_leader({.is_self = true, .address = ""});
  leader_server_.reset();
  EXPECT_EQ(outcome_of(*created), absl::OkStatus());
  EXPECT_TRUE(has_web(*follower_));
  leader_->answer_kept();
}

TEST_F(Forwarding, ASilentLeaderIsLetGoWhenThereIsAnother) {
  leader_->keep_calls();
  const auto created = in_background([&] { return client_->create_service(web()).status(); });
  const auto listed = in_background([&] { return client_->list_services().status(); });
  ASSERT_TRUE(leader_->kept.wait([](int kept) { return kept == 2; }));
  follower_->set_leader({.is_self = true, .address = ""});
  EXPECT_EQ(outcome_of(*created), absl::OkStatus());
  EXPECT_EQ(outcome_of(*listed), absl::OkStatus());
  EXPECT_TRUE(has_web(*follower_));
  leader_->answer_kept();
}

TEST_F(Forwarding, AWriteWhoseAnswerWasLostIsNotCarriedOutTwice) {
  leader_->keep_answers();
  Watched<std::string> id;
  const auto created = in_background([&] {
    const auto made = client_->create_service(web());
    id.update([&](std::string& value) { value = made.ok() ? made->value() : ""; });
    return made.status();
  });
  ASSERT_TRUE(leader_->kept.wait([](int kept) { return kept == 1; }));
  leader_->answer_kept();  // that it was deposed, and does not know
  ASSERT_EQ(outcome_of(*created), absl::OkStatus());
  EXPECT_EQ(client_->get_service("web")->service.id.value(), id.get());
  const std::vector<model::RequestId> requests = leader_->requests.get();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].number, requests[1].number);
  EXPECT_FALSE(requests[0].repeated_since.has_value());
  EXPECT_TRUE(requests[1].repeated_since.has_value());
}

TEST_F(Forwarding, AServiceWithoutANameWhoseAnswerWasLostIsFoundAgain) {
  leader_->keep_answers();
  Watched<std::string> id;
  const auto created = in_background([&] {
    model::ServiceSpec unnamed = web();
    unnamed.name.clear();
    const auto made = client_->create_service(unnamed);
    id.update([&](std::string& value) { value = made.ok() ? made->value() : ""; });
    return made.status();
  });
  ASSERT_TRUE(leader_->kept.wait([](int kept) { return kept == 1; }));
  leader_->answer_kept();
  ASSERT_EQ(outcome_of(*created), absl::OkStatus());
  const auto services = client_->list_services();
  ASSERT_TRUE(services.ok()) << services.status();
  ASSERT_EQ(services->size(), 1U);
  EXPECT_EQ(services->front().service.id.value(), id.get());
}

TEST_F(Forwarding, AWriteOfALeaderThatIsDeposedIsCarriedOutByTheNextOne) {
  follower_->set_leader({.is_self = true, .address = ""});
  follower_->keep_calls();
  const auto created = in_background([&] { return client_->create_service(web()).status(); });
  ASSERT_TRUE(follower_->kept.wait([](int kept) { return kept == 1; }));
  follower_->set_leader({.is_self = false, .address = address_});
  follower_->answer_kept();
  EXPECT_EQ(outcome_of(*created), absl::OkStatus());
  EXPECT_TRUE(has_web(*leader_));
  EXPECT_FALSE(has_web(*follower_));
}

TEST_F(Forwarding, AWriteWhoseOutcomeStaysUnknownSaysSo) {
  serve_follower(milliseconds(500));
  leader_->keep_calls();
  const auto created = in_background([&] { return client_->create_service(web()).status(); });
  ASSERT_TRUE(leader_->kept.wait([](int kept) { return kept == 1; }));
  follower_->set_leader({});
  leader_server_.reset();
  const Status outcome = outcome_of(*created);
  EXPECT_EQ(outcome.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(outcome.message(), HasSubstr("whether the change was made is not known"));
  EXPECT_THAT(outcome.message(), HasSubstr("quorum"));
  leader_->answer_kept();
}

TEST_F(Forwarding, AReadWhoseLeaderDiesIsAskedAgain) {
  leader_->keep_calls();
  Watched<bool> is_done;
  std::thread caller([&] {
    const auto listed = client_->list_services();
    EXPECT_TRUE(listed.ok()) << listed.status();
    is_done.update([](bool& done) { done = true; });
  });
  ASSERT_TRUE(leader_->kept.wait([](int kept) { return kept == 1; }));
  follower_->set_leader({.is_self = true, .address = ""});
  leader_server_.reset();
  EXPECT_TRUE(is_done.wait([](bool done) { return done; }));
  caller.join();
  leader_->answer_kept();
}

TEST_F(Forwarding, WhatANodeAsksOfAFollowerIsDoneForThatNode) {
  const auto network = serve(*follower_node_, swarm_.source("n2", model::Role::manager));
  const std::string follower = address_of(*network);
  const auto worker = swarm_.credentials("n5", model::Role::worker);
  const auto request = security::make_request(worker->key);
  ASSERT_TRUE(renew_certificate(follower, *worker, *request, seconds(20)).ok());
  EXPECT_EQ(leader_->renewals.get(), std::vector<std::string>{"n5"});
  EXPECT_TRUE(follower_->renewals.get().empty());

  const auto manager = swarm_.credentials("n6", model::Role::manager);
  const auto member = join_raft(follower, *manager, "127.0.0.6:2377", seconds(20));
  ASSERT_TRUE(member.ok()) << member.status();
  EXPECT_EQ(leader_->joins.get(),
            (std::vector<std::pair<std::string, std::string>>{{"n6", "127.0.0.6:2377"}}));
  ASSERT_TRUE(leave_raft(follower, *manager, seconds(20)).ok());
  EXPECT_EQ(leader_->leaves.get(), std::vector<std::string>{"n6"});
}

}  // namespace
}  // namespace swarm::api
