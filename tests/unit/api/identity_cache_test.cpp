#include "api/server/identity_cache.h"

#include <gtest/gtest.h>

#include "unit/api/test_swarm.h"

namespace swarm::api {
namespace {

TEST(IdentityCache, NamesTheNodeOfEachCertificateAndReadsItOnce) {
  const TestSwarm swarm;
  IdentityCache identities;
  for (const auto& [node, role] :
       {std::pair("n1", model::Role::manager), std::pair("n2", model::Role::worker),
        std::pair("n1", model::Role::worker)}) {
    const std::string certificate = swarm.credentials(node, role)->certificate;
    const size_t before = identities.size();
    for (int call = 0; call < 2; ++call) {
      const Result<security::PeerIdentity> identity = identities.identity_of(certificate);
      ASSERT_TRUE(identity.ok()) << identity.status();
      EXPECT_EQ(identity->node, model::NodeId(node));
      EXPECT_EQ(identity->role, role) << "a renewed certificate may name another role";
      EXPECT_EQ(identity->swarm, swarm.id());
      EXPECT_EQ(identities.size(), before + 1);
    }
  }
}

TEST(IdentityCache, KeepsNothingOfWhatIsNoCertificate) {
  IdentityCache identities;
  EXPECT_FALSE(identities.identity_of("garbage").ok());
  EXPECT_EQ(identities.size(), 0u);
}

}  // namespace
}  // namespace swarm::api
