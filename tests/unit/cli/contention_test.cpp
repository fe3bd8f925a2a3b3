#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

// Changes of what a manager writes to meanwhile.
namespace swarm::cli {
namespace {

class Contention : public testing::Test {
 protected:
  Contention() { fill_with_sample(fixture_.swarm); }

  const model::NodeSpec& worker() { return fixture_.swarm.node("node-10").node.spec; }

  Fixture fixture_;
};

TEST_F(Contention, ANodeThatHasChangedIsReadAgain) {
  fixture_.swarm.changes_meanwhile = 2;
  EXPECT_EQ(fixture_.run("node promote node-10").exit_code, 0);
  EXPECT_EQ(worker().role, model::Role::manager);
  fixture_.swarm.changes_meanwhile = 2;
  EXPECT_EQ(fixture_.run("node demote node-10").exit_code, 0);
  EXPECT_EQ(worker().role, model::Role::worker);
  fixture_.swarm.changes_meanwhile = 2;
  EXPECT_EQ(fixture_.run("node update --availability drain node-10").exit_code, 0);
  EXPECT_EQ(worker().availability, model::Availability::drain);
}

TEST_F(Contention, AServiceThatHasChangedIsReadAgain) {
  fixture_.swarm.changes_meanwhile = 2;
  EXPECT_EQ(fixture_.run("service update -d --image web:1.1 web").exit_code, 0);
  EXPECT_EQ(fixture_.swarm.service("web").spec().task.container.image, "web:1.1");
}

TEST_F(Contention, AnObjectThatNeverRestsIsGivenUp) {
  fixture_.swarm.changes_meanwhile = 1000;
  const RunResult result = fixture_.run("node promote node-10");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, testing::HasSubstr("update out of sequence"));
  EXPECT_GT(fixture_.swarm.changes_meanwhile, 900);
}

}  // namespace
}  // namespace swarm::cli
