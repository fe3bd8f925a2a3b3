#include "security/tls/certificate_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <set>

#include "security/join_token.h"
#include "security/tls/certificate.h"
#include "security/tls/openssl.h"
#include "security/tls/random_secret.h"

namespace swarm::security {
namespace {

using ::testing::HasSubstr;

const WallTime kNow(seconds(1'800'000'000));

class CertificateAuthority : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = make_root(model::SwarmId("swarm1"), kNow);
    ASSERT_TRUE(made.ok()) << made.status();
    root_ = *std::move(made);
    auto key = make_key();
    ASSERT_TRUE(key.ok()) << key.status();
    key_ = *std::move(key);
    auto request = make_request(key_);
    ASSERT_TRUE(request.ok()) << request.status();
    request_ = *std::move(request);
  }

  PeerIdentity identity(model::Role role) const {
    return {.node = model::NodeId("node1"), .role = role, .swarm = model::SwarmId("swarm1")};
  }
  std::string sign_for(model::Role role) const {
    auto signed_pem = sign(request_, root_, identity(role), kNow);
    EXPECT_TRUE(signed_pem.ok()) << signed_pem.status();
    return signed_pem.value_or("");
  }

  RootCertificate root_;
  std::string key_;
  std::string request_;
};

TEST_F(CertificateAuthority, ACertificateSaysNodeRoleAndSwarm) {
  for (const model::Role role : {model::Role::worker, model::Role::manager}) {
    const auto read = identity_of(sign_for(role));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->node.value(), "node1");
    EXPECT_EQ(read->swarm.value(), "swarm1");
    EXPECT_EQ(read->role, role);
  }
}

TEST_F(CertificateAuthority, ACertificateIsSignedByTheRootThatFollowsIt) {
  const std::string pem = sign_for(model::Role::worker);
  ASSERT_TRUE(pem.ends_with(root_.certificate));
  const auto leaf = openssl::read_certificate(pem);
  const auto root = openssl::read_certificate(root_.certificate);
  ASSERT_TRUE(leaf.ok() && root.ok());
  EXPECT_EQ(X509_verify(leaf->get(), X509_get0_pubkey(root->get())), 1);
  EXPECT_EQ(X509_verify(root->get(), X509_get0_pubkey(root->get())), 1);
  EXPECT_EQ(X509_check_ca(leaf->get()), 0);
  EXPECT_EQ(X509_check_ca(root->get()), 1);
}

TEST_F(CertificateAuthority, HostNamesAreTheNodeItsRoleAndNode) {
  const auto worker = openssl::read_certificate(sign_for(model::Role::worker));
  const auto manager = openssl::read_certificate(sign_for(model::Role::manager));
  ASSERT_TRUE(worker.ok() && manager.ok());
  const auto has = [](const openssl::CertificatePtr& certificate, const std::string& name) {
    return X509_check_host(certificate.get(), name.c_str(), name.size(), 0, nullptr) == 1;
  };
  EXPECT_TRUE(has(*worker, "node1") && has(*worker, "swarm-node") && has(*worker, "swarm-worker"));
  EXPECT_FALSE(has(*worker, "swarm-manager"));
  EXPECT_TRUE(has(*manager, "swarm-manager"));
  EXPECT_FALSE(has(*manager, "swarm-worker"));
}

TEST_F(CertificateAuthority, ACertificateLastsNinetyDaysFromAnHourAgo) {
  const auto validity = validity_of(sign_for(model::Role::worker));
  ASSERT_TRUE(validity.ok()) << validity.status();
  EXPECT_EQ(validity->not_before, kNow - hours(1));
  EXPECT_EQ(validity->not_after, kNow + hours(24 * 90));
}

TEST_F(CertificateAuthority, SerialNumbersDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    const auto leaf = openssl::read_certificate(sign_for(model::Role::worker));
    ASSERT_TRUE(leaf.ok());
    const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf->get());
    seen.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                 static_cast<size_t>(ASN1_STRING_length(serial)));
  }
  EXPECT_EQ(seen.size(), 20U);
}

TEST_F(CertificateAuthority, ARequestThatIsNoneIsRefused) {
  for (const std::string& request :
       {std::string(), std::string("hello"), root_.certificate, key_,
        request_.substr(0, request_.size() / 2), std::string(1 << 20, 'A')}) {
    const auto refused = sign(request, root_, identity(model::Role::worker), kNow);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(refused.status().message(), HasSubstr("a certificate request"));
  }
}

TEST_F(CertificateAuthority, ARequestWithAnotherKindOfKeyIsRefused) {
  const openssl::KeyPtr rsa(EVP_RSA_gen(2048));
  const auto pem = openssl::write_key(rsa.get());
  ASSERT_TRUE(pem.ok());
  const auto request = make_request(*pem);
  ASSERT_TRUE(request.ok());
  const auto refused = sign(*request, root_, identity(model::Role::worker), kNow);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.status().message(), HasSubstr("P-256"));
}

TEST_F(CertificateAuthority, ARequestSignedByAnotherKeyIsRefused) {
  const auto victim = openssl::read_key(key_);
  const auto thief = openssl::read_key(*make_key());
  ASSERT_TRUE(victim.ok() && thief.ok());
  const openssl::RequestPtr request(X509_REQ_new());
  ASSERT_EQ(X509_REQ_set_pubkey(request.get(), victim->get()), 1);
  ASSERT_GT(X509_REQ_sign(request.get(), thief->get(), EVP_sha256()), 0);
  const auto pem = openssl::write_request(request.get());
  ASSERT_TRUE(pem.ok());
  const auto refused = sign(*pem, root_, identity(model::Role::worker), kNow);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CertificateAuthority, ANodeIdCannotAddHostNames) {
  PeerIdentity sly = identity(model::Role::worker);
  sly.node = model::NodeId("node1,DNS:swarm-manager");
  EXPECT_EQ(sign(request_, root_, sly, kNow).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CertificateAuthority, TheRootIsNotTheIdentityOfANode) {
  EXPECT_EQ(identity_of(root_.certificate).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(identity_of("nonsense").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CertificateAuthority, DigestsAndSecretsMakeAToken) {
  const auto digest = digest_of(root_.certificate);
  ASSERT_TRUE(digest.ok()) << digest.status();
  const JoinToken token{.digest = *digest, .secret = random_secret()};
  const auto parsed = parse_join_token(format_join_token(token));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, token);
  const auto other = make_root(model::SwarmId("swarm1"), kNow);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(*digest_of(other->certificate), *digest);
  EXPECT_NE(random_secret(), random_secret());
}

}  // namespace
}  // namespace swarm::security
