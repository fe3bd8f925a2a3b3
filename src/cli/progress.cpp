#include "cli/progress.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "cli/escape.h"
#include "cli/rows.h"
#include "cli/table.h"

namespace swarm::cli {

namespace {

using api::Client;
using model::Task;
using model::TaskState;

constexpr uint64_t kMaxSlotLines = 20;
constexpr size_t kStateWidth = 9;  // of "preparing"
constexpr size_t kSteps = 9;

bool is_active(const Task& task) {
  return task.desired <= TaskState::running;
}

// Where a state is on the way from new to running.
size_t step_of(TaskState state) {
  switch (state) {
    case TaskState::fresh:
      return 1;
    case TaskState::pending:
      return 3;
    case TaskState::assigned:
      return 4;
    case TaskState::accepted:
      return 5;
    case TaskState::preparing:
      return 6;
    case TaskState::ready:
      return 7;
    case TaskState::starting:
      return 8;
    case TaskState::running:
      return kSteps;
    default:
      return 0;
  }
}

bool stands_before(const Task& a, const Task& b) {
  return std::pair(a.desired, a.status.state) < std::pair(b.desired, b.status.state);
}

// How often in a row an engine must refuse a slot with the same sentence for it to be believed.
constexpr size_t kRefusalsThatCount = 3;

using Slots = std::map<model::Slot, std::vector<const Task*>>;

// The records of each slot that are not to be forgotten, newest first.
Slots records_by_slot(const std::vector<Client::TaskView>& tasks) {
  Slots slots;
  for (const Client::TaskView& view : tasks) {
    if (view.task.desired != TaskState::remove) {
      slots[view.task.slot].push_back(&view.task);
    }
  }
  for (auto& [slot, records] : slots) {
    std::stable_sort(records.begin(), records.end(), [](const Task* a, const Task* b) {
      return a->meta.created_at > b->meta.created_at;
    });
  }
  return slots;
}

std::string of_slot(const Task& task, const std::string& text) {
  return "slot " + std::to_string(task.slot) + ": " + text;
}

// Engines name the container, which is another one each time.
std::string without_container_ids(const std::string& text) {
  constexpr size_t kIdDigits = 64;
  std::string plain;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end])) != 0) {
      ++end;
    }
    if (end - begin == kIdDigits) {
      plain += "ID";
    } else {
      end = std::max(end, begin + 1);
      plain += text.substr(begin, end - begin);
    }
    begin = end;
  }
  return plain;
}

// The engine refused the last attempts in this slot with one and the same sentence.
std::string refusal_in(const std::vector<const Task*>& records) {
  std::string sentence;
  size_t count = 0;
  for (const Task* task : records) {
    if (!model::is_terminal(task->status.state)) {
      continue;  // the next attempt, on its way
    }
    const bool is_same = sentence.empty() || without_container_ids(task->status.error) ==
                                                 without_container_ids(sentence);
    if (task->status.state != TaskState::rejected || task->status.error.empty() || !is_same) {
      break;
    }
    sentence = task->status.error;
    if (++count == kRefusalsThatCount) {
      return of_slot(*task, sentence);
    }
  }
  return "";
}

void note_ends(const Slots& slots, Progress& progress) {
  for (const auto& [slot, records] : slots) {
    const Task& newest = *records.front();
    const bool has_active = std::any_of(records.begin(), records.end(),
                                        [](const Task* task) { return is_active(*task); });
    if (has_active) {
      if (progress.refusal.empty()) {
        progress.refusal = refusal_in(records);
      }
      continue;
    }
    const TaskState state = newest.status.state;
    const bool has_failed = state == TaskState::failed || state == TaskState::rejected;
    if (has_failed || state == TaskState::complete) {
      ++progress.ended;
    }
    if (has_failed && progress.failure.empty()) {
      progress.failure = of_slot(
          newest, newest.status.error.empty() ? newest.status.message : newest.status.error);
    }
  }
}

// The task that stands for each slot.
using ChosenTasks = std::map<model::Slot, const Client::TaskView*>;

uint64_t count_stopping(const std::vector<Client::TaskView>& tasks, const ChosenTasks& chosen) {
  return static_cast<uint64_t>(
      std::count_if(tasks.begin(), tasks.end(), [&](const Client::TaskView& view) {
        const Task& task = view.task;
        return !is_active(task) && !model::is_terminal(task.status.state) &&
               !task.node.is_empty() && !chosen.contains(task.slot);
      }));
}

// "web.1 on node w2: task: non-zero exit (1)": the newest failure in the slot of `task`, which is
// why a new task is on its way.
std::string failure_before(const Task& task, const std::vector<Client::TaskView>& tasks) {
  const Client::TaskView* newest = nullptr;
  for (const Client::TaskView& view : tasks) {
    const Task& other = view.task;
    const bool has_failed = model::is_terminal(other.status.state) && !other.status.error.empty();
    if (has_failed && other.slot == task.slot && other.revision == task.revision &&
        (newest == nullptr || newest->task.meta.created_at < other.meta.created_at)) {
      newest = &view;
    }
  }
  if (newest == nullptr) {
    return "";
  }
  const std::string& node = newest->node_hostname;
  return model::task_name(newest->service_name, newest->task) +
         (node.empty() ? "" : " on node " + node) + ": " + newest->task.status.error;
}

SlotProgress slot_on_its_way(const Client::TaskView& view,
                             const std::vector<Client::TaskView>& tasks, WallTime now) {
  SlotProgress slot{view.task.slot, view.task.status.state, task_reason(view), {}, {}};
  if (view.task.status.error.empty()) {
    slot.failure = failure_before(view.task, tasks);
  }
  if (view.wait && view.wait->what == slot.reason) {
    slot.waited = time_waited(*view.wait, now);
  }
  return slot;
}

std::string bar(TaskState state) {
  const size_t step = step_of(state);
  std::string text = "[";
  if (step > 0) {
    text.append(step - 1, '=');
    text.push_back('>');
  }
  text.append(kSteps - step, ' ');
  return text + "]";
}

std::string slot_line(const SlotProgress& slot, bool with_bar) {
  std::string state(model::to_string(slot.state));
  if (slot.has_reason()) {
    return state + ": " + on_one_line(slot.text(with_bar));
  }
  if (!with_bar) {
    return state;
  }
  state.resize(std::max(state.size(), kStateWidth), ' ');
  return state + " " + bar(slot.state);
}

}  // namespace

std::string verify_line(Duration left) {
  if (left <= Duration{}) {
    return "verify: Waiting for the rollout to complete...";
  }
  const int64_t whole = std::chrono::ceil<seconds>(left).count();
  return "verify: Waiting " + std::to_string(whole) + " seconds to verify that tasks are stable...";
}

std::string SlotProgress::text(bool with_time) const {
  if (reason.empty()) {
    return failure;
  }
  const std::string why = with_time && !waited.empty() ? reason + ": " + waited : reason;
  return failure.empty() ? why : why + " (before it " + failure + ")";
}

Progress measure_progress(const model::Service& service, const std::vector<Client::TaskView>& tasks,
                          bool any_revision, WallTime now) {
  ChosenTasks chosen;
  bool has_superfluous = false;
  for (const Client::TaskView& view : tasks) {
    const Task& task = view.task;
    if (!is_active(task)) {
      continue;
    }
    if (!any_revision && task.revision != service.revision) {
      has_superfluous = true;
      continue;
    }
    const Client::TaskView*& best = chosen[task.slot];
    if (best == nullptr || stands_before(task, best->task)) {
      best = &view;
    }
  }
  Progress progress;
  const bool has_rollout = service.rollout.has_value();
  progress.is_rolling_back =
      has_rollout && service.rollout->state == model::RolloutState::rollback_started;
  progress.total = service.settings.replicas;
  for (const auto& [slot, view] : chosen) {
    const Task& task = view->task;
    if (model::is_working(task.status) && task.desired == TaskState::running) {
      ++progress.running;
      progress.slots.push_back({slot, task.status.state, {}, {}, {}});
    } else {
      progress.slots.push_back(slot_on_its_way(*view, tasks, now));
    }
  }
  note_ends(records_by_slot(tasks), progress);
  if (any_revision) {
    progress.stopping = count_stopping(tasks, chosen);
  }
  progress.is_converged = !has_superfluous && progress.slots.size() == progress.total &&
                          progress.running == progress.total && progress.stopping == 0;
  return progress;
}

std::string closed_port_text(const Client::ClosedPort& closed) {
  return "port " + std::to_string(closed.port.published) + "/" +
         std::string(model::to_string(closed.port.protocol)) + " is closed on node " +
         closed.node_hostname + ": " + closed.reason;
}

void note_closed_ports(const std::vector<Client::ClosedPort>& closed, Progress* progress) {
  if (closed.empty()) {
    return;
  }
  progress->is_converged = false;
  progress->closed_port = closed_port_text(closed.front());
  if (closed.size() > 1) {
    progress->closed_port += " (and " + std::to_string(closed.size() - 1) + " more)";
  }
}

std::vector<std::string> progress_lines(const Progress& progress, bool with_bars) {
  std::vector<std::string> lines;
  const std::string total = std::to_string(progress.total);
  lines.push_back(
      std::string(progress.is_rolling_back ? "rolling back update: " : "overall progress: ") +
      std::to_string(progress.running) + " out of " + total + " tasks");
  if (progress.stopping > 0) {
    lines.front() += ", " + std::to_string(progress.stopping) + " stopping";
  }
  if (!progress.closed_port.empty() && progress.running == progress.total) {
    lines.push_back(progress.closed_port);
  }
  if (progress.total > kMaxSlotLines) {
    return lines;
  }
  for (size_t i = 0; i < progress.total; ++i) {
    const bool has_task = i < progress.slots.size();
    lines.push_back(std::to_string(i + 1) + "/" + total + ": " +
                    (has_task ? slot_line(progress.slots[i], with_bars) : ""));
  }
  return lines;
}

ProgressPrinter::ProgressPrinter(Terminal& terminal, bool is_quiet)
    : terminal_(terminal), is_quiet_(is_quiet) {}

void ProgressPrinter::show(const Progress& progress, std::optional<Duration> verify_left) {
  if (is_quiet_) {
    return;
  }
  if (terminal_.is_interactive) {
    show_in_place(progress, verify_left);
  } else {
    show_changes(progress, verify_left);
  }
}

void ProgressPrinter::say(const std::string& line) {
  if (is_quiet_) {
    return;
  }
  if (terminal_.is_interactive) {
    erase_block();
    shown_.clear();
  }
  terminal_.out.write(line + "\n");
}

// A line that wraps would make the cursor count wrong, so it is cut to the width.
void ProgressPrinter::show_in_place(const Progress& progress, std::optional<Duration> verify_left) {
  std::vector<std::string> lines = progress_lines(progress, true);
  if (verify_left) {
    lines.push_back(verify_line(*verify_left));
  }
  if (lines == shown_) {
    return;
  }
  erase_block();
  std::string text;
  for (const std::string& line : lines) {
    // As it will come out: an escaped character is wider.
    text += cut_to_width(escaped(line), terminal_.width > 1 ? terminal_.width - 1 : 1) + "\n";
  }
  terminal_.out.write(text);
  shown_ = std::move(lines);
}

void ProgressPrinter::show_changes(const Progress& progress, std::optional<Duration> verify_left) {
  std::vector<std::string> lines = progress_lines(progress, false);
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool is_known = i < shown_.size() && shown_[i] == lines[i];
    if (!is_known && !lines[i].ends_with(": ")) {
      text += lines[i] + "\n";
    }
  }
  if (verify_left && !is_verifying_) {
    text += verify_line(*verify_left) + "\n";
  }
  is_verifying_ = verify_left.has_value();
  if (!text.empty()) {
    terminal_.out.write(text);
  }
  shown_ = std::move(lines);
}

void ProgressPrinter::erase_block() {
  if (!shown_.empty()) {
    // Up to the first line of the block, then clear from there to the end of the screen.
    terminal_.out.write_control("\x1b[" + std::to_string(shown_.size()) + "A\x1b[J");
  }
}

}  // namespace swarm::cli
