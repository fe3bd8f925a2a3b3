#include "runtime/docker/run_ending.h"

#include <gtest/gtest.h>

namespace swarm::runtime {
namespace {

using History = std::vector<EngineEvent>;

ContainerState ended_with(int32_t exit_code) {
  ContainerState state;
  state.status = ContainerState::Status::exited;
  state.exit_code = exit_code;
  return state;
}
EngineEvent kill(int32_t signal, int64_t at) {
  return {.container = "c1", .action = "kill", .signal = signal, .nanos = at};
}
EngineEvent die(int32_t exit_code, int64_t at) {
  return {.container = "c1", .action = "die", .exit_code = exit_code, .nanos = at};
}

TEST(RunEndings, OfAProgramThatEndsByItselfAreItsOwn) {
  const RunEnding ending = judge_ending(ended_with(0), 10, History{die(0, 20)});
  EXPECT_EQ(ending, (RunEnding{0, "", false}));
}

TEST(RunEndings, AfterAStopFromOutsideSaySo) {
  const RunEnding ending = judge_ending(ended_with(0), 10, History{kill(15, 20), die(0, 21)});
  EXPECT_EQ(ending, (RunEnding{0, "stopped from outside with SIGTERM", true}));
  EXPECT_TRUE(
      judge_ending(ended_with(137), 10, History{kill(9, 20), die(137, 21)}).is_external_stop);
}

TEST(RunEndings, WithAStopSignalOfTheServiceAreStopsToo) {
  ContainerState state = ended_with(0);
  state.stop_signal = "SIGUSR1";
  EXPECT_TRUE(judge_ending(state, 10, History{kill(10, 20), die(0, 21)}).is_external_stop);
}

TEST(RunEndings, AreNotBlamedOnASignalThatProgramsSurvive) {
  EXPECT_FALSE(judge_ending(ended_with(0), 10, History{kill(1, 20), die(0, 900)}).is_external_stop);
  EXPECT_TRUE(
      judge_ending(ended_with(129), 10, History{kill(1, 20), die(129, 21)}).is_external_stop)
      << "this one did not survive it";
}

TEST(RunEndings, ThatTheEngineDoesNotRememberCameWithItsOwnEnd) {
  for (const auto& history : {std::optional<History>(), std::optional(History{})}) {
    EXPECT_EQ(judge_ending(ended_with(0), 10, history),
              (RunEnding{0, "stopped with its engine", true}));
    EXPECT_EQ(judge_ending(ended_with(3), 10, history), (RunEnding{3, "", false}))
        << "its exit code says enough";
  }
}

TEST(RunEndings, AreOfTheRunThatWasWatched) {
  ContainerState runs_again = ended_with(0);
  runs_again.status = ContainerState::Status::running;
  const History history{kill(15, 5), die(0, 6), die(3, 20), kill(9, 30), die(137, 31)};
  EXPECT_EQ(judge_ending(runs_again, 10, history), (RunEnding{3, "", false}));
}

TEST(RunEndings, OfOneFoundEndedAreOfItsLastRun) {
  const History history{kill(15, 5), die(0, 6), die(0, 20)};
  EXPECT_FALSE(judge_ending(ended_with(0), 0, history).is_external_stop);
  const History stopped{die(0, 6), kill(15, 19), die(0, 20)};
  EXPECT_TRUE(judge_ending(ended_with(0), 0, stopped).is_external_stop);
}

}  // namespace
}  // namespace swarm::runtime
