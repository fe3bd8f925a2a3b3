#include "model/placement.h"

#include <gtest/gtest.h>

namespace swarm::model {
namespace {

bool is_met(std::vector<std::string> constraints) {
  Node node;
  node.spec.labels["zone"] = "a";
  Placement placement;
  placement.constraints = std::move(constraints);
  return meets_constraints(placement, node);
}

TEST(MeetsConstraints, EveryOneMustHold) {
  EXPECT_TRUE(is_met({}));
  EXPECT_TRUE(is_met({"node.labels.zone==a", "node.role==worker"}));
  EXPECT_FALSE(is_met({"node.labels.zone==a", "node.role==manager"}));
}

TEST(MeetsConstraints, OneThatCannotBeReadIsMetByNoNode) {
  EXPECT_FALSE(is_met({"node.labels.zone=a"}));
  EXPECT_FALSE(is_met({"node.labels.zone==a", "node.color!=red"}));
}

}  // namespace
}  // namespace swarm::model
