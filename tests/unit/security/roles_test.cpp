#include "security/roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace swarm::security {
namespace {

using ::testing::HasSubstr;

const model::SwarmId kSwarm("swarm");

PeerIdentity peer(model::Role role, const model::SwarmId& swarm = kSwarm) {
  return {.node = model::NodeId("n1"), .role = role, .swarm = swarm};
}

absl::StatusCode remote(std::string_view method, const PeerIdentity& identity) {
  return authorize_remote(method, identity, kSwarm).code();
}

constexpr auto kOk = absl::StatusCode::kOk;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;
constexpr auto kUnauthenticated = absl::StatusCode::kUnauthenticated;

TEST(Roles, OnlyGettingACertificateNeedsNone) {
  const PeerIdentity stranger;
  for (const MethodRule& rule : method_rules()) {
    const bool is_issue =
        rule.method == "/swarm.v1.NodeCa/Issue" || rule.method == "/swarm.v1.NodeCa/RenewExpired";
    EXPECT_EQ(remote(rule.method, stranger) == kOk, is_issue) << rule.method;
  }
  EXPECT_EQ(remote("/swarm.v1.Services/List", stranger), kUnauthenticated);
}

TEST(Roles, AWorkerOpensSessionsAndRenewsAndNothingElse) {
  std::set<std::string_view> allowed;
  for (const MethodRule& rule : method_rules()) {
    if (remote(rule.method, peer(model::Role::worker)) == kOk) {
      allowed.insert(rule.method);
    }
  }
  EXPECT_EQ(allowed, (std::set<std::string_view>{"/swarm.v1.Dispatcher/Session",
                                                 "/swarm.v1.NodeCa/Issue", "/swarm.v1.NodeCa/Renew",
                                                 "/swarm.v1.NodeCa/RenewExpired"}));
}

TEST(Roles, AManagerMayCallAllThatIsOfferedOverTheNetwork) {
  for (const MethodRule& rule : method_rules()) {
    EXPECT_EQ(remote(rule.method, peer(model::Role::manager)) == kOk, rule.remote != Access::nobody)
        << rule.method;
  }
}

TEST(Roles, ACertificateOfAnotherSwarmIsWorthNothing) {
  const PeerIdentity other = peer(model::Role::manager, model::SwarmId("other"));
  EXPECT_EQ(remote("/swarm.v1.Services/List", other), kDenied);
  EXPECT_EQ(remote("/swarm.v1.Dispatcher/Session", other), kDenied);
  EXPECT_THAT(authorize_remote("/swarm.v1.NodeCa/Renew", other, kSwarm).message(),
              HasSubstr("another swarm"));
}

TEST(Roles, WhatALocalNodeDoesIsNotOfferedOverTheNetwork) {
  EXPECT_EQ(remote("/swarm.v1.LocalNode/Leave", peer(model::Role::manager)), kDenied);
  EXPECT_TRUE(authorize_local("/swarm.v1.LocalNode/Leave").ok());
}

TEST(Roles, TheLocalSocketOffersTheControlApiAndNotWhatNodesTellEachOther) {
  EXPECT_TRUE(authorize_local("/swarm.v1.Services/Create").ok());
  EXPECT_EQ(authorize_local("/swarm.v1.RaftPeer/Join").code(), kDenied);
  EXPECT_EQ(authorize_local("/swarm.v1.NodeCa/Issue").code(), kDenied);
  EXPECT_EQ(authorize_local("/swarm.v1.Dispatcher/Session").code(), kDenied);
}

TEST(Roles, AMethodThatIsNotInTheTableIsRefusedToAll) {
  EXPECT_EQ(find_rule("/swarm.v1.Services/Nothing"), nullptr);
  EXPECT_EQ(remote("/swarm.v1.Services/Nothing", peer(model::Role::manager)), kDenied);
  EXPECT_EQ(authorize_local("/swarm.v1.Services/Nothing").code(), kDenied);
}

}  // namespace
}  // namespace swarm::security
