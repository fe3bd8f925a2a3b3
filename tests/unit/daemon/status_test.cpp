#include "daemon/status.h"

#include <gtest/gtest.h>

namespace swarm::daemon {
namespace {

TEST(StatusLine, SaysWhatTheNodeIs) {
  api::LocalNode::Info info;
  EXPECT_EQ(status_line(info), "not part of a swarm");
  info.is_member = true;
  info.swarm = model::SwarmId("s1");
  EXPECT_EQ(status_line(info), "worker of swarm s1");
  info.role = model::Role::manager;
  EXPECT_EQ(status_line(info), "manager of swarm s1, no leader");
  info.leader_address = "10.0.0.5:2377";
  EXPECT_EQ(status_line(info), "manager of swarm s1, leader is 10.0.0.5:2377");
  info.is_leader = true;
  EXPECT_EQ(status_line(info), "manager of swarm s1, leader");
  info.manager_refusal = "the raft log is missing";
  EXPECT_EQ(status_line(info), "manager of swarm s1, does not serve: the raft log is missing");
  info = {};
  info.membership_fault = "/state/node is missing";
  EXPECT_EQ(status_line(info), "refuses to work: /state/node is missing");
}

}  // namespace
}  // namespace swarm::daemon
