#include "agent/task_machine.h"

namespace swarm::agent {
namespace {

struct Move {
  TaskStep from;
  TaskEvent event;
  TaskStep to;
};

using enum TaskStep;
using Event = TaskEvent;

constexpr Move kMoves[] = {
    {accepted, Event::begin, preparing},
    {accepted, Event::stop_wanted, ended},

    {preparing, Event::prepared, ready},
    {preparing, Event::call_failed, ended},
    {preparing, Event::stop_wanted, abandoned},

    {abandoned, Event::prepared, ended},
    {abandoned, Event::call_failed, ended},

    {ready, Event::run_wanted, launching},
    {ready, Event::stop_wanted, ended},
    {ready, Event::exited, ended},

    // A failed start may have come halfway: it is stopped to be sure.
    {launching, Event::started, starting},
    {launching, Event::call_failed, stopping},
    {launching, Event::stop_wanted, aborting},
    {launching, Event::exited, aborting},
    {launching, Event::unhealthy, aborting},

    {aborting, Event::started, stopping},
    {aborting, Event::call_failed, stopping},

    // Drained although it was not admitted by this agent: it may have been by the one before.
    {starting, Event::healthy, running},
    {starting, Event::unhealthy, draining},
    {starting, Event::stop_wanted, draining},
    {starting, Event::exited, ended},

    {running, Event::unhealthy, draining},
    {running, Event::stop_wanted, draining},
    {running, Event::exited, ended},

    {draining, Event::drained, stopping},
    {draining, Event::exited, ended},

    {stopping, Event::stopped, ended},

    {ended, Event::remove_wanted, removing},
    {removing, Event::removed, gone},
};

}  // namespace

std::optional<TaskStep> next(TaskStep step, TaskEvent event) {
  for (const Move& move : kMoves) {
    if (move.from == step && move.event == event) {
      return move.to;
    }
  }
  return std::nullopt;
}

std::string_view to_string(TaskStep step) {
  switch (step) {
    case accepted:
      return "accepted";
    case preparing:
      return "preparing";
    case abandoned:
      return "abandoned";
    case ready:
      return "ready";
    case launching:
      return "launching";
    case aborting:
      return "aborting";
    case starting:
      return "starting";
    case running:
      return "running";
    case draining:
      return "draining";
    case stopping:
      return "stopping";
    case ended:
      return "ended";
    case removing:
      return "removing";
    case gone:
      return "gone";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, TaskStep step) {
  return out << to_string(step);
}

}  // namespace swarm::agent
