#include "api/agent_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/server.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using ::testing::HasSubstr;

class AgentClient : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = serve(*node_, swarm_.source("n1", model::Role::manager));
    address_ = address_of(*server_);
    client_ = make_dispatcher_client(loop_.loop(), swarm_.source("n5", model::Role::worker));
  }

  std::unique_ptr<agent::DispatcherStream> open(const std::string& address) {
    return client_->open(
        address, {.on_message = [this](auto message) { received_.push_back(std::move(message)); },
                  .on_closed =
                      [this](Status status, std::string leader) {
                        ends_.emplace_back(std::move(status), std::move(leader));
                      },
                  .on_removed = [this](Status status) { removal_ = std::move(status); }});
  }

  // The manager's end of the session number `index`, once it is there.
  FakeManager::Session session(size_t index) {
    EXPECT_TRUE(manager_->sessions.wait([&](const auto& all) { return all.size() > index; }));
    return manager_->sessions.get().at(index);
  }
  bool wait_for_end() {
    return loop_.until([this] { return !ends_.empty(); });
  }

  TestSwarm swarm_;
  test::WaitingLoop loop_;
  std::shared_ptr<FakeManager> manager_ = std::make_shared<FakeManager>(swarm_);
  std::unique_ptr<FakeNode> node_ = make_manager_node(manager_);
  std::unique_ptr<Server> server_;
  std::string address_;
  std::unique_ptr<agent::DispatcherClient> client_;
  std::vector<model::AgentDownMessage> received_;
  std::vector<std::pair<Status, std::string>> ends_;
  std::optional<Status> removal_;
};

TEST_F(AgentClient, MessagesGoBothWaysInOrder) {
  const auto stream = open(address_);
  model::AgentHello hello;
  hello.description.hostname = "host5";
  stream->send(hello);
  for (model::Position position = 1; position <= 100; ++position) {
    stream->send(model::AgentHeartbeat{.applied = position, .sent_at = {}});
  }
  const auto there = session(0);
  EXPECT_EQ(there.node.value(), "n5");
  EXPECT_EQ(there.address, "127.0.0.1");
  ASSERT_TRUE(
      manager_->sessions.wait([](const auto& all) { return all[0].received.size() == 101; }));
  const auto up = manager_->sessions.get()[0].received;
  EXPECT_EQ(std::get<model::AgentHello>(up[0]).description.hostname, "host5");
  for (size_t i = 1; i <= 100; ++i) {
    EXPECT_EQ(std::get<model::AgentHeartbeat>(up[i]).applied, i);
  }

  for (int i = 0; i < 100; ++i) {
    model::ManagerList list;
    list.addresses = {std::to_string(i)};
    there.sink->send(list);
  }
  ASSERT_TRUE(loop_.until([this] { return received_.size() == 100; }));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(std::get<model::ManagerList>(received_[i]).addresses[0], std::to_string(i));
  }
  EXPECT_TRUE(ends_.empty());
}

TEST_F(AgentClient, WhatTheDispatcherSentBeforeItClosedArrivesFirst) {
  const auto stream = open(address_);
  const auto there = session(0);
  for (int i = 0; i < 50; ++i) {
    there.sink->send(model::RoleChange{.role = model::Role::manager});
  }
  there.sink->close(absl::AbortedError("a newer session"));
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(received_.size(), 50U);
  EXPECT_EQ(ends_[0].first, absl::AbortedError("a newer session"));
  EXPECT_TRUE(manager_->sessions.wait([](const auto& all) { return all[0].is_gone; }));
}

TEST_F(AgentClient, AFollowerSendsTheAgentToTheLeader) {
  manager_->set_leader({.is_self = false, .address = "10.0.0.9:2377"});
  const auto stream = open(address_);
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(ends_[0].first.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ends_[0].second, "10.0.0.9:2377");
}

TEST_F(AgentClient, ARemovedNodeIsToldSoAtTheDoor) {
  manager_->remove_node("n5");
  const auto stream = open(address_);
  ASSERT_TRUE(loop_.until([this] { return removal_.has_value(); }));
  EXPECT_EQ(removal_->code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(ends_.empty());
}

TEST_F(AgentClient, ANodeOfAnotherSwarmIsNotToldThatItWasRemoved) {
  TestSwarm other;
  client_ = make_dispatcher_client(loop_.loop(), other.source("n5", model::Role::worker));
  manager_->remove_node("n5");
  const auto stream = open(address_);
  ASSERT_TRUE(wait_for_end());
  EXPECT_FALSE(removal_.has_value());
}

TEST_F(AgentClient, ANodeThatIsNoManagerSaysSo) {
  node_->manager = nullptr;
  const auto stream = open(address_);
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(ends_[0].first.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ends_[0].second, "");
}

TEST_F(AgentClient, AnUnreachableManagerIsUnavailable) {
  const auto stream = open(closed_address());
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(ends_[0].first.code(), absl::StatusCode::kUnavailable);
}

TEST_F(AgentClient, ANodeWithoutACertificateIsToldSo) {
  client_ = make_dispatcher_client(loop_.loop(), [] { return nullptr; });
  const auto stream = open(address_);
  EXPECT_TRUE(ends_.empty());  // never from within `open`
  stream->send(model::AgentHeartbeat{});
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(ends_[0].first.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AgentClient, DestroyingTheStreamEndsTheSessionAndNothingIsCalled) {
  auto stream = open(address_);
  const auto there = session(0);
  stream.reset();
  EXPECT_TRUE(manager_->sessions.wait([](const auto& all) { return all[0].is_gone; }));
  there.sink->send(model::RoleChange{});
  there.sink->close(absl::OkStatus());
  loop_.idle(milliseconds(20));
  EXPECT_TRUE(received_.empty() && ends_.empty());
}

TEST_F(AgentClient, AStreamMayBeDestroyedByItsOwnEnd) {
  std::unique_ptr<agent::DispatcherStream> stream;
  bool is_over = false;
  stream = client_->open(closed_address(), {.on_message = [](auto) {},
                                            .on_closed =
                                                [&](Status, const std::string&) {
                                                  stream.reset();
                                                  is_over = true;
                                                }});
  EXPECT_TRUE(loop_.until([&] { return is_over; }));
}

TEST_F(AgentClient, AManagerThatStopsEndsTheStream) {
  const auto stream = open(address_);
  session(0);
  server_.reset();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(ends_[0].first.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(AgentClient, ALeadershipThatEndsEndsTheStream) {
  const auto stream = open(address_);
  session(0);
  // The dispatcher goes without a word.
  manager_->sessions.update([](auto& all) { all[0].sink.reset(); });
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(ends_[0].first.code(), absl::StatusCode::kUnavailable);
}

TEST_F(AgentClient, ANodeThatIsRemovedIsThrownOut) {
  const auto stream = open(address_);
  session(0);
  manager_->remove_node("n5");
  stream->send(model::AgentHeartbeat{});
  ASSERT_TRUE(loop_.until([this] { return removal_.has_value(); }));
  EXPECT_EQ(removal_->code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(ends_.empty());
  EXPECT_TRUE(manager_->sessions.get()[0].received.empty());
}

TEST_F(AgentClient, ASessionWithTooMuchWaitingIsEndedAndTheDispatcherIsNotBlocked) {
  const auto stream = open(address_);
  const auto there = session(0);
  model::ManagerList large;
  large.addresses.assign(1, std::string(30 << 20, 'x'));
  for (int i = 0; i < 20; ++i) {
    there.sink->send(large);
  }
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(ends_[0].first.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_LT(received_.size(), 20U);
}

}  // namespace
}  // namespace swarm::api
