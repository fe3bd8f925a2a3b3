#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/client/client.h"
#include "base/time.h"
#include "cli/environment.h"

// How far a service is from what it should be, and how that looks. Pure: snapshots in, lines out.
namespace swarm::cli {

// The task that stands for a slot: of those that fit, the one with the lowest desired state, then
// the lowest observed state.
struct SlotProgress {
  model::Slot slot = 0;
  model::TaskState state = model::TaskState::fresh;
  std::string reason;   // why it fails or waits
  std::string waited;   // how long it has waited for that: "1m1s of 1m30s"; empty: it does not wait
  std::string failure;  // of the task that it replaces

  bool has_reason() const { return !reason.empty() || !failure.empty(); }
  // "waiting for the restart delay: 2s of 5s (before it web.1 on node w2: task: non-zero exit (1))"
  std::string text(bool with_time) const;
};

struct Progress {
  bool is_rolling_back = false;
  uint64_t running = 0;
  uint64_t total = 0;
  std::vector<SlotProgress> slots;  // by slot
  // Slots whose last task finished, or gave up by its restart policy, and has no successor.
  uint64_t ended = 0;
  std::string failure;  // of the first that gave up: "slot 2: task: non-zero exit (1)"
  std::string refusal;  // the same sentence at every recent attempt: "slot 1: no such image"
  // Scaling only: tasks of slots that are no more, which have not stopped yet.
  uint64_t stopping = 0;
  // Every slot runs, nothing runs that should not, and the published ports are open.
  bool is_converged = false;
  std::string closed_port;  // which one is not, where and why
};

// `any_revision`: for scaling, where tasks of an older revision are as good.
Progress measure_progress(const model::Service& service,
                          const std::vector<api::Client::TaskView>& tasks, bool any_revision,
                          WallTime now);

// "port 8080/tcp is closed on node w2: port 8080 is in use by another program"
std::string closed_port_text(const api::Client::ClosedPort& closed);

// A service is not done while one of its ports is closed on a node that should serve it.
void note_closed_ports(const std::vector<api::Client::ClosedPort>& closed, Progress* progress);

// "overall progress: 1 out of 3 tasks", then one line a slot if there are at most twenty. For a
// terminal (`with_bars`) a line that waits says how long; elsewhere it would be news every second.
std::vector<std::string> progress_lines(const Progress& progress, bool with_bars);

// What a command waits for whose tasks all run.
std::string verify_line(Duration left);

// Shows what changes: on a terminal by rewriting lines in place, otherwise as lines of their own.
class ProgressPrinter {
 public:
  ProgressPrinter(Terminal& terminal, bool is_quiet);

  // `verify_left`: all run, and this long they must go on to.
  void show(const Progress& progress, std::optional<Duration> verify_left);
  // A line that stays: a change of the rollout, a notice.
  void say(const std::string& line);

 private:
  void show_in_place(const Progress& progress, std::optional<Duration> verify_left);
  void show_changes(const Progress& progress, std::optional<Duration> verify_left);
  void erase_block();

  Terminal& terminal_;
  const bool is_quiet_;
  std::vector<std::string> shown_;  // in place: the block on the screen; else the last lines
  bool is_verifying_ = false;
};

}  // namespace swarm::cli
