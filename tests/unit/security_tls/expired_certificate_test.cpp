#include "security/tls/expired_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "security/tls/certificate_authority.h"

namespace swarm::security {
namespace {

using ::testing::HasSubstr;

const WallTime kNow(seconds(1'800'000'000));
constexpr Duration kGrace = hours(24) * 30;

class ExpiredCertificate : public ::testing::Test {
 protected:
  ExpiredCertificate() : root_(*make_root(model::SwarmId("swarm1"), kNow)), key_(*make_key()) {
    certificate_ = *sign(*make_request(key_), root_, kIdentity, kNow, hours(1));
  }

  Result<PeerIdentity> identity(const std::string& certificate, const std::string& key,
                                WallTime now) const {
    return identity_of_expired(certificate, *make_request(key), root_.certificate, now, kGrace);
  }

  const PeerIdentity kIdentity{.node = model::NodeId("node1"),
                               .role = model::Role::worker,
                               .swarm = model::SwarmId("swarm1")};
  const RootCertificate root_;
  const std::string key_;
  std::string certificate_;
};

TEST_F(ExpiredCertificate, IsGoodWithinTheGraceForWhoeverHasItsKey) {
  for (const Duration after : {hours(2), hours(24) * 30}) {
    const auto found = identity(certificate_, key_, kNow + after);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->node, kIdentity.node);
    EXPECT_EQ(found->swarm, kIdentity.swarm);
  }
}

TEST_F(ExpiredCertificate, IsRefusedAfterTheGraceWithTheCure) {
  const auto found = identity(certificate_, key_, kNow + hours(1) + kGrace + seconds(1));
  EXPECT_EQ(found.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(found.status().message(), HasSubstr("node1"));
  EXPECT_THAT(found.status().message(), HasSubstr("expired at"));
  EXPECT_THAT(found.status().message(), HasSubstr("swarm leave --force"));
}

TEST_F(ExpiredCertificate, IsRefusedWithoutItsKey) {
  const auto found = identity(certificate_, *make_key(), kNow + hours(2));
  EXPECT_EQ(found.status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(ExpiredCertificate, OfAnotherRootIsRefused) {
  const RootCertificate other = *make_root(model::SwarmId("swarm1"), kNow);
  const std::string foreign = *sign(*make_request(key_), other, kIdentity, kNow, hours(1));
  EXPECT_EQ(identity(foreign, key_, kNow + hours(2)).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(ExpiredCertificate, WhatIsNoneIsRefused) {
  EXPECT_FALSE(identity("no certificate", key_, kNow).ok());
  EXPECT_FALSE(
      identity_of_expired(certificate_, "no request", root_.certificate, kNow, kGrace).ok());
}

}  // namespace
}  // namespace swarm::security
