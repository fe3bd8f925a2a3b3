#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "cli/progress.h"
#include "model/service.h"

namespace swarm::cli {

// What the user asked for, as far as waiting for it differs.
enum class WaitFor { create, update, rollback, scale };

// When a service is done, and with which exit code: fed with one snapshot after another, it
// decides; it neither polls nor prints.
//
// A service has converged when every slot runs what it should and went on to for the monitor window
// of its update policy. A rollout that began with this command has the last word: it says itself
// when it is completed, paused or rolled back.
class Convergence {
 public:
  struct Outcome {
    int exit_code = 0;
    std::string message;
  };
  struct Step {
    std::optional<Outcome> outcome;  // ends the wait
    std::optional<Duration> verify_left;
    std::string notice;  // said once: a rollback began, a task failed
  };

  // `earlier_rollout`: when the rollout stored before the command began; it says nothing about this
  // one.
  Convergence(WaitFor what, std::optional<WallTime> earlier_rollout);

  Step observe(const model::Service& service, const Progress& progress, TimePoint now);

 private:
  const model::Rollout* own_rollout(const model::Service& service) const;
  // The rollout has ended one way or another; nothing while it goes on.
  std::optional<Outcome> end_of_rollout(const model::Rollout& rollout,
                                        const model::Service& service, const Progress& progress,
                                        TimePoint now);
  void verify(const model::Service& service, const Progress& progress, bool is_rollout_active,
              TimePoint now, Step& step);

  const WaitFor what_;
  const std::optional<WallTime> earlier_rollout_;
  bool is_first_ = true;
  bool has_told_rollback_ = false;
  std::optional<TimePoint> stable_at_;      // end of the verify window
  std::optional<TimePoint> unfinished_at_;  // the rollout is completed, but not all tasks run
};

}  // namespace swarm::cli
