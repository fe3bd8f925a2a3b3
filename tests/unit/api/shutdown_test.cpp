#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "api/agent_client.h"
#include "api/client/client.h"
#include "api/peer_transport.h"
#include "api/server.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using ::testing::HasSubstr;

class Shutdown : public ::testing::Test {
 protected:
  void SetUp() override {
    serve_local();
    network_ = serve(*node_, swarm_.source("n1", model::Role::manager));
    address_ = address_of(*network_);
  }

  void serve_local() {
    auto local = Server::listen_local(*node_, folder_.path() / "s",
                                      swarm_.source("n1", model::Role::manager));
    ASSERT_TRUE(local.ok()) << local.status();
    local_ = *std::move(local);
  }
  std::unique_ptr<Client> client() {
    return Client::connect("unix:" + (folder_.path() / "s").string(), seconds(20));
  }

  TestSwarm swarm_;
  test::ScratchDirectory folder_;
  test::WaitingLoop loop_;
  std::shared_ptr<FakeManager> manager_ = std::make_shared<FakeManager>(swarm_);
  std::unique_ptr<FakeNode> node_ = make_manager_node(manager_);
  std::unique_ptr<Server> local_;
  std::unique_ptr<Server> network_;
  std::string address_;
};

TEST_F(Shutdown, ACallThatIsNeverAnsweredDoesNotHoldItUp) {
  manager_->keep_calls();
  Status outcome;
  std::thread caller([&] { outcome = client()->list_services().status(); });
  ASSERT_TRUE(manager_->kept.wait([](int kept) { return kept == 1; }));
  local_.reset();
  caller.join();
  EXPECT_FALSE(outcome.ok());
  node_.reset();
  manager_->answer_kept();  // late: there is nobody to tell any more
}

TEST_F(Shutdown, ACallThatWaitsForALeaderDoesNotHoldItUp) {
  manager_->set_leader({});
  std::thread caller([&] { EXPECT_FALSE(client()->list_services().ok()); });
  // A second caller that has been answered shows that the first is being served.
  EXPECT_TRUE(client()->info().ok());
  local_.reset();
  node_.reset();
  caller.join();
}

TEST_F(Shutdown, OpenStreamsDoNotHoldItUp) {
  const auto agent = make_dispatcher_client(loop_.loop(), swarm_.source("n5", model::Role::worker));
  bool is_over = false;
  const auto stream = agent->open(address_, {.on_message = [](auto) {},
                                             .on_closed =
                                                 [&](Status status, const std::string&) {
                                                   EXPECT_THAT(status.message(), HasSubstr("stop"));
                                                   is_over = true;
                                                 }});
  PeerTransport transport(
      loop_.loop(), raft::MemberId(2), swarm_.source("n2", model::Role::manager),
      PeerTransport::Events{.refused = [](raft::MemberId) {}, .received = {}, .is_removed = {}});
  transport.set_peer(raft::MemberId(1), address_);
  transport.send(raft::MemberId(1), "hello");
  ASSERT_TRUE(loop_.until([&] { return !manager_->raft_messages.get().empty(); }));
  ASSERT_TRUE(manager_->sessions.wait([](const auto& all) { return !all.empty(); }));
  const auto sink = manager_->sessions.get()[0].sink;

  network_.reset();
  node_.reset();
  EXPECT_TRUE(manager_->sessions.wait([](const auto& all) { return all[0].is_gone; }));
  sink->send(model::RoleChange{});  // late
  sink->close(absl::OkStatus());
  EXPECT_TRUE(loop_.until([&] { return is_over; }));
}

TEST_F(Shutdown, AServerMayStopWhileCallsPourIn) {
  Watched<int> answered;
  std::atomic<bool> is_stopping = false;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      const auto own = client();
      while (!is_stopping) {
        (void)own->list_services();
        answered.update([](int& count) { ++count; });
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    const int before = answered.get();
    ASSERT_TRUE(answered.wait([&](int count) { return count > before + 20; }));
    local_.reset();
    serve_local();
  }
  is_stopping = true;
  for (std::thread& caller : callers) {
    caller.join();
  }
}

TEST_F(Shutdown, APortInUseIsAClearErrorEvenAmongOurOwn) {
  const auto second =
      Server::listen_network(*node_, address_, swarm_.source("n1", model::Role::manager));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr("the port is in use"));
}

}  // namespace
}  // namespace swarm::api
