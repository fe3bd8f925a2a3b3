#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/client/client.h"
#include "api/server.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LocalSocket : public ::testing::Test {
 protected:
  std::string path() const { return (folder_.path() / "s").string(); }
  void serve() {
    auto server = Server::listen_local(node_, path(), [] { return nullptr; });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  test::ScratchDirectory folder_;
  FakeNode node_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_ = Client::connect("unix:" + path(), seconds(20));
};

TEST_F(LocalSocket, TellsWhatTheNodeIs) {
  node_.described = {.version = "1.2.3",
                     .is_member = true,
                     .node = model::NodeId("n1"),
                     .swarm = model::SwarmId("swarm1"),
                     .role = model::Role::manager,
                     .is_leader = true,
                     .leader_address = "10.0.0.1:2377",
                     .advertise_address = "10.0.0.2:2377",
                     .runtime = "docker",
                     .hostname = "host1",
                     .manager_refusal = "",
                     .membership_fault = "/state/node is missing",
                     .notice = "a notice"};
  serve();
  const auto info = client_->info();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->version, "1.2.3");
  EXPECT_TRUE(info->is_member && info->is_leader);
  EXPECT_EQ(info->node.value(), "n1");
  EXPECT_EQ(info->swarm.value(), "swarm1");
  EXPECT_EQ(info->role, model::Role::manager);
  EXPECT_EQ(info->leader_address, "10.0.0.1:2377");
  EXPECT_EQ(info->advertise_address, "10.0.0.2:2377");
  EXPECT_EQ(info->runtime, "docker");
  EXPECT_EQ(info->hostname, "host1");
  EXPECT_EQ(info->notice, "a notice");
  EXPECT_EQ(info->membership_fault, "/state/node is missing");
}

TEST_F(LocalSocket, PassesInitAndItsOutcome) {
  node_.init_result = LocalNode::Initialized{.node = model::NodeId("n1"),
                                             .worker_token = "w",
                                             .manager_token = "m",
                                             .advertise_address = "10.0.0.2:2377"};
  serve();
  const auto made = client_->init({.listen_address = "0.0.0.0:1",
                                   .advertise_address = "10.0.0.2",
                                   .availability = model::Availability::drain});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->node.value(), "n1");
  EXPECT_EQ(made->worker_token, "w");
  EXPECT_EQ(made->manager_token, "m");
  EXPECT_EQ(made->advertise_address, "10.0.0.2:2377");
  const auto seen = node_.inits.get();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].listen_address, "0.0.0.0:1");
  EXPECT_EQ(seen[0].advertise_address, "10.0.0.2");
  EXPECT_EQ(seen[0].availability, model::Availability::drain);
}

TEST_F(LocalSocket, PassesThatASurvivorIsToGoOnAlone) {
  serve();
  client_->init({}).status().IgnoreError();
  LocalNode::InitOptions survivor;
  survivor.force_new_cluster = true;
  client_->init(survivor).status().IgnoreError();
  const auto seen = node_.inits.get();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_FALSE(seen[0].force_new_cluster);
  EXPECT_TRUE(seen[1].force_new_cluster);
}

TEST_F(LocalSocket, PassesBackupAndItsError) {
  node_.backup_result =
      LocalNode::BackedUp{.swarm = model::SwarmId("s"), .position = 7, .bytes = 1234};
  serve();
  const auto made = client_->backup("/root/file");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->swarm, model::SwarmId("s"));
  EXPECT_EQ(made->position, 7U);
  EXPECT_EQ(made->bytes, 1234U);
  EXPECT_EQ(node_.backups.get(), std::vector<std::string>{"/root/file"});
  node_.backup_result = absl::FailedPreconditionError("not a manager");
  EXPECT_EQ(client_->backup("/f").status(), absl::FailedPreconditionError("not a manager"));
}

TEST_F(LocalSocket, PassesRestoreAndItsOutcome) {
  LocalNode::Initialized restored;
  restored.node = model::NodeId("n9");
  restored.advertise_address = "10.0.0.2:2377";
  node_.restore_result = restored;
  serve();
  const auto made = client_->restore(
      {.file = "/root/file", .listen_address = "0.0.0.0:1", .advertise_address = "10.0.0.2"});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->node, model::NodeId("n9"));
  EXPECT_EQ(made->advertise_address, "10.0.0.2:2377");
  const auto seen = node_.restores.get();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].file, "/root/file");
  EXPECT_EQ(seen[0].listen_address, "0.0.0.0:1");
  EXPECT_EQ(seen[0].advertise_address, "10.0.0.2");
}

TEST_F(LocalSocket, PassesJoinAndItsError) {
  node_.join_result = absl::PermissionDeniedError("the token is not valid");
  serve();
  const auto refused = client_->join({.manager_address = "10.0.0.1:2377",
                                      .token = "t",
                                      .listen_address = "l",
                                      .advertise_address = "a"});
  EXPECT_EQ(refused.status(), absl::PermissionDeniedError("the token is not valid"));
  const auto seen = node_.joins.get();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].manager_address, "10.0.0.1:2377");
  EXPECT_EQ(seen[0].token, "t");
  node_.join_result = model::Role::manager;
  EXPECT_EQ(client_->join({}).value_or(model::Role::worker), model::Role::manager);
}

TEST_F(LocalSocket, PassesLeave) {
  serve();
  EXPECT_TRUE(client_->leave(true).ok());
  EXPECT_EQ(node_.leaves.get(), std::vector<bool>{true});
}

TEST_F(LocalSocket, AVeryLongErrorIsCutAndArrives) {
  node_.leave_result = absl::InternalError(std::string(100'000, 'e'));
  serve();
  const Status status = client_->leave(false);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("eeee"));
}

TEST_F(LocalSocket, AnErrorOfAnyBytesArrivesAsItIs) {
  node_.leave_result = absl::InternalError("a\nb % \xc3\xa9 \xff");
  serve();
  EXPECT_EQ(client_->leave(false), node_.leave_result);
}

TEST_F(LocalSocket, OutsideOfASwarmTheControlApiSaysHowToGetIntoOne) {
  serve();
  const auto listed = client_->list_services();
  EXPECT_EQ(listed.status(),
            absl::FailedPreconditionError("this node is not part of a swarm; run `swarmctl swarm "
                                          "init` or `swarmctl swarm join`"));
}

TEST_F(LocalSocket, ANodeThatWasRemovedSaysSo) {
  node_.described.notice = "it was removed from swarm s1";
  serve();
  EXPECT_EQ(client_->list_services().status(),
            absl::FailedPreconditionError(
                "this node is not part of a swarm: it was removed from swarm s1; run `swarmctl "
                "swarm init` or `swarmctl swarm join`"));
}

TEST_F(LocalSocket, OnAWorkerTheControlApiSaysWhereToGo) {
  node_.described.is_member = true;
  node_.described.hostname = "host7";
  serve();
  const Status refused = client_->remove_service("web");
  EXPECT_EQ(refused,
            absl::FailedPreconditionError(
                "this node is not a manager; run the command on a manager or promote this node: "
                "swarmctl node promote host7"));
}

TEST_F(LocalSocket, NobodyThereIsAnErrorThatNamesTheSocketAndTheCure) {
  const auto info = client_->info();
  EXPECT_EQ(info.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(info.status().message(),
              AllOf(HasSubstr("swarmd does not answer at " + path()), HasSubstr("systemctl")));
}

TEST_F(LocalSocket, ASocketLeftByADeadProcessIsTakenOver) {
  serve();
  server_.reset();
  EXPECT_EQ(client_->info().status().code(), absl::StatusCode::kUnavailable);
  serve();
  EXPECT_TRUE(Client::connect("unix:" + path(), seconds(20))->info().ok());
}

TEST_F(LocalSocket, APathThatIsTooLongOrCannotBeMadeIsAClearError) {
  const auto source = [] { return nullptr; };
  const auto longer = Server::listen_local(node_, folder_.path() / std::string(120, 'x'), source);
  EXPECT_EQ(longer.status().code(), absl::StatusCode::kInvalidArgument);
  const auto nowhere = Server::listen_local(node_, folder_.path() / "no" / "s", source);
  EXPECT_EQ(nowhere.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(LocalSocket, AnEndpointThatIsNoneIsAClearError) {
  for (const char* endpoint : {"", "unix:", "/run/swarmd.sock", "http://x"}) {
    EXPECT_EQ(Client::connect(endpoint, seconds(20))->info().status().code(),
              absl::StatusCode::kInvalidArgument)
        << endpoint;
  }
}

}  // namespace
}  // namespace swarm::api
