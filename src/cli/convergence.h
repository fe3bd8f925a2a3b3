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
// when it is completed, paused or rolled back. A wait that nothing would end is ended: when all
// tasks have finished or given up, when the engine refuses every attempt, and at the progress
// deadline.
class Convergence {
 public:
  struct Outcome {
    int exit_code = 0;
    std::string message;
    std::string advice;  // what to type next
  };
  // What the command found and wrote.
  struct Command {
    WaitFor what = WaitFor::create;
    // When the rollout stored before it began; that one says nothing about this command.
    std::optional<WallTime> earlier_rollout;
    // The revision it left the service at; 0: any is as good.
    model::RevisionNumber revision = 0;
  };
  struct Step {
    std::optional<Outcome> outcome;  // ends the wait
    std::optional<Duration> verify_left;
    std::string notice;  // said once: a rollback began, a task failed
  };

  explicit Convergence(Command command) : command_(command) {}

  Step observe(const model::Service& service, const Progress& progress, TimePoint now);

 private:
  // The service is at another revision by the will of somebody else.
  std::optional<Outcome> superseded(const model::Service& service) const;
  const model::Rollout* own_rollout(const model::Service& service) const;
  // The rollout has ended one way or another; nothing while it goes on.
  std::optional<Outcome> end_of_rollout(const model::Rollout& rollout,
                                        const model::Service& service, const Progress& progress,
                                        TimePoint now);
  std::optional<Outcome> end_of_completed(const model::Rollout& rollout,
                                          const model::Service& service, const Progress& progress,
                                          TimePoint now);
  // Nothing will change by waiting, or it has taken too long.
  std::optional<Outcome> dead_end(const model::Service& service, const Progress& progress,
                                  TimePoint now);
  void verify(const model::Service& service, const Progress& progress, bool is_rollout_active,
              TimePoint now, Step& step);

  const Command command_;
  bool is_first_ = true;
  TimePoint started_at_;
  // A rollout that was on its way when the command was given, and is its own, too.
  bool has_joined_rollout_ = false;
  bool has_told_rollback_ = false;
  std::optional<TimePoint> stable_at_;      // end of the verify window
  std::optional<TimePoint> unfinished_at_;  // the rollout is completed, but not all tasks run
  std::optional<TimePoint> ended_at_;       // every task has finished or given up
};

}  // namespace swarm::cli
