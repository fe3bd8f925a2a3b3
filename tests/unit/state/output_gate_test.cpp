#include "state/output_gate.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace swarm::state {
namespace {

using testing::ElementsAre;

class OutputGateTest : public testing::Test {
 protected:
  void hold(const std::string& name, model::Position position) {
    gate.when_committed(position, [this, name](const Status& status) {
      said.push_back(name + (status.ok() ? "" : " dropped"));
    });
  }

  OutputGate gate;
  std::vector<std::string> said;
};

TEST_F(OutputGateTest, HoldsWhatIsNotCommitted) {
  hold("a", 1);
  hold("b", 2);
  hold("c", 2);
  EXPECT_TRUE(said.empty());
  gate.advance(1);
  EXPECT_THAT(said, ElementsAre("a"));
  gate.advance(5);
  EXPECT_THAT(said, ElementsAre("a", "b", "c"));
  EXPECT_EQ(gate.held(), 0u);
}

TEST_F(OutputGateTest, LetsThroughWhatIsCommitted) {
  gate.open(7);
  hold("a", 7);
  EXPECT_THAT(said, ElementsAre("a"));
}

TEST_F(OutputGateTest, KeepsTheOrderOfCalls) {
  gate.open(3);
  hold("late", 4);
  hold("early", 2);  // committed, but said after "late"
  EXPECT_TRUE(said.empty());
  gate.advance(4);
  EXPECT_THAT(said, ElementsAre("late", "early"));
}

TEST_F(OutputGateTest, DropsWhatItHoldsWhenLeadershipIsLost) {
  hold("a", 1);
  hold("b", 2);
  gate.advance(1);
  gate.close(absl::UnavailableError("not the leader any more"));
  EXPECT_THAT(said, ElementsAre("a", "b dropped"));
}

TEST_F(OutputGateTest, NeverReleasesAPositionOfAnOldLeadership) {
  gate.close(absl::UnavailableError("not the leader any more"));
  hold("a", 3);
  EXPECT_THAT(said, ElementsAre("a dropped"));
  gate.advance(3);  // a follower's position
  gate.open(5);
  hold("b", 6);
  gate.advance(6);
  EXPECT_THAT(said, ElementsAre("a dropped", "b"));
}

TEST_F(OutputGateTest, TakesOutputsFromOutputs) {
  gate.when_committed(1, [this](const Status&) {
    said.push_back("first");
    hold("third", 1);
  });
  hold("second", 1);
  gate.advance(1);
  EXPECT_THAT(said, ElementsAre("first", "second", "third"));
}

TEST_F(OutputGateTest, MayBeClosedByAnOutput) {
  gate.when_committed(1, [this](const Status&) { gate.close(absl::UnavailableError("stop")); });
  hold("a", 1);
  gate.advance(1);
  EXPECT_THAT(said, ElementsAre("a dropped"));
}

}  // namespace
}  // namespace swarm::state
