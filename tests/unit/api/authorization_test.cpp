#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "api/channel.h"
#include "api/client/client.h"
#include "api/client/local_channel.h"
#include "api/server.h"
#include "proto/ca.grpc.pb.h"
#include "security/roles.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using ::testing::HasSubstr;

// Every method of every service in proto/, "/swarm.v1.Services/Create": read from the files
// themselves, so that a new one cannot be forgotten.
std::set<std::string> all_methods() {
  const std::filesystem::path root =
      std::filesystem::path(SWARM_TEST_DATA).parent_path().parent_path().parent_path();
  std::set<std::string> methods;
  for (const auto& entry : std::filesystem::directory_iterator(root / "proto")) {
    std::ifstream file(entry.path());
    std::string service;
    for (std::string word; file >> word;) {
      if (word == "service") {
        file >> service;
      } else if (word == "rpc") {
        file >> word;
        methods.insert("/swarm.v1." + service + "/" + word.substr(0, word.find('(')));
      }
    }
  }
  return methods;
}

// Calls a method with an empty message, whatever its types are.
grpc::StatusCode call(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  const auto stream = stub.PrepareCall(&context, method, &queue);
  int tag = 0;
  const auto wait = [&] {
    void* got = nullptr;
    bool ok = false;
    return queue.Next(&got, &ok) && ok;
  };
  stream->StartCall(&tag);
  wait();
  grpc::ByteBuffer empty;
  {
    grpc::Slice nothing("", 0);
    empty = grpc::ByteBuffer(&nothing, 1);
  }
  stream->WriteLast(empty, grpc::WriteOptions(), &tag);
  wait();
  // The status comes after the last message.
  grpc::ByteBuffer reply;
  do {
    stream->Read(&reply, &tag);
  } while (wait());
  grpc::Status status;
  stream->Finish(&status, &tag);
  wait();
  return status.error_code();
}

bool is_refusal(grpc::StatusCode code) {
  return code == grpc::StatusCode::PERMISSION_DENIED || code == grpc::StatusCode::UNAUTHENTICATED;
}

class Authorization : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = serve(*node_, swarm_.source("n1", model::Role::manager));
    address_ = address_of(*server_);
  }

  std::shared_ptr<grpc::Channel> channel_of(const security::NodeCredentials& credentials) {
    return make_tls_channel(address_, credentials);
  }
  std::shared_ptr<grpc::Channel> channel_of(const std::string& node, model::Role role) {
    return channel_of(*swarm_.credentials(node, role));
  }

  TestSwarm swarm_;
  std::shared_ptr<FakeManager> manager_ = std::make_shared<FakeManager>(swarm_);
  std::unique_ptr<FakeNode> node_ = make_manager_node(manager_);
  std::unique_ptr<Server> server_;
  std::string address_;
};

TEST_F(Authorization, TheTableNamesEveryMethodOfEveryServiceAndNoOther) {
  std::set<std::string> table;
  for (const security::MethodRule& rule : security::method_rules()) {
    table.emplace(rule.method);
  }
  EXPECT_EQ(table, all_methods());
}

TEST_F(Authorization, EveryMethodIsCheckedAgainstTheTableForAWorker) {
  const auto channel = channel_of("n2", model::Role::worker);
  for (const security::MethodRule& rule : security::method_rules()) {
    if (rule.remote == security::Access::nobody) {
      EXPECT_EQ(call(channel, std::string(rule.method)), grpc::StatusCode::UNIMPLEMENTED);
    } else if (rule.remote == security::Access::manager) {
      EXPECT_EQ(call(channel, std::string(rule.method)), grpc::StatusCode::PERMISSION_DENIED)
          << rule.method;
    }
  }
}

TEST_F(Authorization, EveryMethodButIssueIsClosedToACallerWithoutACertificate) {
  const auto channel = channel_of(security::NodeCredentials{
      .ca_certificate = swarm_.root().certificate, .certificate = "", .key = ""});
  for (const security::MethodRule& rule : security::method_rules()) {
    if (rule.remote == security::Access::nobody) {
      continue;
    }
    EXPECT_EQ(call(channel, std::string(rule.method)) == grpc::StatusCode::UNAUTHENTICATED,
              rule.remote != security::Access::anyone)
        << rule.method;
  }
  EXPECT_EQ(manager_->shown_secrets.get().size(), 1U);  // Issue was let in, with an empty secret
}

TEST_F(Authorization, AManagerIsLetInEverywhere) {
  const auto channel = channel_of("n2", model::Role::manager);
  for (const security::MethodRule& rule : security::method_rules()) {
    if (rule.remote == security::Access::nobody) {
      continue;
    }
    EXPECT_FALSE(is_refusal(call(channel, std::string(rule.method))) &&
                 rule.method != "/swarm.v1.NodeCa/Issue")
        << rule.method;
  }
}

TEST_F(Authorization, ARemovedNodeIsRefusedAtOnce) {
  const auto channel = channel_of("n2", model::Role::manager);
  EXPECT_FALSE(is_refusal(call(channel, "/swarm.v1.Services/List")));
  manager_->remove_node("n2");
  for (const security::MethodRule& rule : security::method_rules()) {
    if (rule.remote == security::Access::manager || rule.remote == security::Access::node) {
      EXPECT_EQ(call(channel, std::string(rule.method)), grpc::StatusCode::PERMISSION_DENIED)
          << rule.method;
    }
  }
}

TEST_F(Authorization, ACertificateOfAnotherSwarmDoesNotEvenConnect) {
  const TestSwarm other("swarm2");
  security::NodeCredentials mixed = *other.credentials("n2", model::Role::manager);
  mixed.ca_certificate = swarm_.root().certificate;
  EXPECT_EQ(call(channel_of(mixed), "/swarm.v1.Services/List"), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Authorization, ACertificateForAnotherSwarmUnderTheSameRootIsRefused) {
  // Not how swarms are made; but the name of the swarm is checked whatever the root is.
  const security::PeerIdentity stranger{
      .node = model::NodeId("n2"), .role = model::Role::manager, .swarm = model::SwarmId("swarm2")};
  security::NodeCredentials credentials = *swarm_.credentials("n2", model::Role::manager);
  const auto request = security::make_request(credentials.key);
  ASSERT_TRUE(request.ok());
  const WallTime now(std::chrono::system_clock::now().time_since_epoch());
  const auto certificate = security::sign(*request, swarm_.root(), stranger, now);
  ASSERT_TRUE(certificate.ok());
  credentials.certificate = *certificate;
  EXPECT_EQ(call(channel_of(credentials), "/swarm.v1.Services/List"),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(Authorization, AClientSpeaksOnlyToManagersOfItsSwarm) {
  // n3 is a worker that took a manager's place at an address.
  server_.reset();
  const auto impostor = serve(*node_, swarm_.source("n3", model::Role::worker));
  address_ = address_of(*impostor);
  EXPECT_EQ(call(channel_of("n2", model::Role::manager), "/swarm.v1.Services/List"),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Authorization, AWorkerIsNotBelievedThatItSpeaksForAnotherNode) {
  const auto credentials = swarm_.credentials("n2", model::Role::worker);
  const auto stub = v1::NodeCa::NewStub(channel_of(*credentials));
  grpc::ClientContext context;
  context.AddMetadata("swarm-forwarded", "1");
  context.AddMetadata("swarm-node", "n1");
  v1::RenewRequest request;
  request.set_certificate_request(*security::make_request(credentials->key));
  v1::CertificateReply reply;
  const grpc::Status status = stub->Renew(&context, request, &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(manager_->renewals.get(), std::vector<std::string>{"n2"});
}

TEST(LocalAuthorization, TheLocalSocketServesNothingThatNodesTellEachOther) {
  const TestSwarm swarm;
  const test::ScratchDirectory folder;
  const auto node = make_manager_node(std::make_shared<FakeManager>(swarm));
  const auto server =
      Server::listen_local(*node, folder.path() / "s", swarm.source("n1", model::Role::manager));
  ASSERT_TRUE(server.ok()) << server.status();
  const auto channel = make_local_channel((folder.path() / "s").string());
  for (const security::MethodRule& rule : security::method_rules()) {
    EXPECT_EQ(call(channel, std::string(rule.method)) == grpc::StatusCode::UNIMPLEMENTED,
              !rule.is_local)
        << rule.method;
  }
}

}  // namespace
}  // namespace swarm::api
