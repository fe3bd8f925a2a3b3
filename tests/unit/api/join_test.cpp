#include "api/join_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/server.h"
#include "security/tls/certificate.h"
#include "security/tls/fetch_root.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using ::testing::HasSubstr;

// A manager of one swarm, at an address.
struct RunningManager {
  explicit RunningManager(const std::string& swarm_id) : swarm(swarm_id) {}

  TestSwarm swarm;
  std::shared_ptr<FakeManager> manager = std::make_shared<FakeManager>(swarm);
  std::unique_ptr<FakeNode> node = make_manager_node(manager);
  std::unique_ptr<Server> server = serve(*node, swarm.source("n1", model::Role::manager));
  std::string address = address_of(*server);
};

std::string make_request() {
  return *security::make_request(*security::make_key());
}

TEST(Join, ATokenGetsARootAndThenACertificate) {
  const RunningManager there("swarm1");
  const auto root = security::fetch_root(there.address, there.swarm.digest(), seconds(20));
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(*root, there.swarm.root().certificate);

  const auto issued = issue_certificate(there.address, *root, std::string(25, 'w'), make_request(),
                                        model::Availability::drain, seconds(20));
  ASSERT_TRUE(issued.ok()) << issued.status();
  EXPECT_EQ(issued->node.value(), "n9");
  EXPECT_EQ(issued->swarm.value(), "swarm1");
  EXPECT_EQ(issued->role, model::Role::worker);
  EXPECT_EQ(there.manager->joined_as.get(), std::vector{model::Availability::drain});
  const auto identity = security::identity_of(issued->certificate);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->node.value(), "n9");
}

TEST(Join, AWrongSecretIsRefusedWithTheManagersSentence) {
  const RunningManager there("swarm1");
  const auto refused =
      issue_certificate(there.address, there.swarm.root().certificate, std::string(25, 'x'),
                        make_request(), model::Availability::drain, seconds(20));
  EXPECT_EQ(refused.status(),
            absl::PermissionDeniedError("the join token is not valid (any more)"));
}

TEST(Join, AnImpostorIsToldApartByTheDigestAndNeverSeesTheSecret) {
  const TestSwarm wanted("swarm1");
  const RunningManager impostor("swarm1");  // of the same name, but another CA
  const auto root = security::fetch_root(impostor.address, wanted.digest(), seconds(20));
  EXPECT_EQ(root.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(root.status().message(), HasSubstr("does not match the token"));
  EXPECT_TRUE(impostor.manager->shown_secrets.get().empty());
}

TEST(Join, AnImpostorThatTakesTheAddressLaterNeverSeesTheSecretEither) {
  const TestSwarm wanted("swarm1");
  const RunningManager impostor("swarm1");
  const auto refused =
      issue_certificate(impostor.address, wanted.root().certificate, std::string(25, 'w'),
                        make_request(), model::Availability::drain, seconds(20));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(refused.status().message(), HasSubstr(impostor.address));
  EXPECT_TRUE(impostor.manager->shown_secrets.get().empty());
}

TEST(Join, AnUnreachableManagerIsAnErrorThatNamesTheAddress) {
  const TestSwarm swarm;
  const std::string address = closed_address();
  const auto refused = issue_certificate(address, swarm.root().certificate, std::string(25, 'w'),
                                         make_request(), model::Availability::drain, seconds(20));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(refused.status().message(), HasSubstr(address));
}

TEST(Join, RenewingNeedsTheOldCertificate) {
  const RunningManager there("swarm1");
  const auto old = there.swarm.credentials("n4", model::Role::worker);
  const auto renewed =
      renew_certificate(there.address, *old, *security::make_request(old->key), seconds(20));
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(renewed->node.value(), "n4");
  EXPECT_EQ(renewed->role, model::Role::manager);

  security::NodeCredentials none = *old;
  none.certificate = "";
  none.key = "";
  const auto refused =
      renew_certificate(there.address, none, *security::make_request(old->key), seconds(20));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnauthenticated);
}

// For TLS it would be refused: the certificate is not shown, only sent.
TEST(Join, ACertificateThatTlsRefusesIsRenewedWithItsKey) {
  const RunningManager there("swarm1");
  const TestSwarm other("swarm1");
  security::NodeCredentials refused = *other.credentials("n4", model::Role::worker);
  refused.ca_certificate = there.swarm.root().certificate;
  const std::string request = *security::make_request(refused.key);
  EXPECT_FALSE(renew_certificate(there.address, refused, request, seconds(20)).ok());
  const auto renewed = renew_expired_certificate(there.address, refused, request, seconds(20));
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(renewed->node.value(), "n4");
}

TEST(Join, OnlyAManagerBecomesAMember) {
  const RunningManager there("swarm1");
  const auto member = join_raft(there.address, *there.swarm.credentials("n2", model::Role::manager),
                                "127.0.0.2:2377", seconds(20));
  ASSERT_TRUE(member.ok()) << member.status();
  EXPECT_EQ(*member, model::MemberId(7));
  const auto refused = join_raft(there.address, *there.swarm.credentials("n3", model::Role::worker),
                                 "127.0.0.3:2377", seconds(20));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.status().message(), HasSubstr("is a worker"));
}

}  // namespace
}  // namespace swarm::api
