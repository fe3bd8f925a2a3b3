#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>

namespace swarm::agent {

// Where the agent is with one task. Finer than model::TaskState: it also says which call to the
// executor or the mesh is awaited, because calls for one task never overlap.
//
//   accepted -> preparing -> ready -> launching -> starting -> running
//                   |                     |            |          |
//               abandoned              aborting        +----------+-> draining -> stopping
//                   |                     |                                          |
//                   +-> ended <-----------+------------------------------------------+
//                         |
//                      removing -> gone
enum class TaskStep : uint8_t {
  accepted,   // nothing was done yet
  preparing,  // awaits prepare
  abandoned,  // awaits prepare only to be sure that it is over; will never run
  ready,      // prepared; waits until it is wanted to run
  launching,  // awaits start
  aborting,   // awaits start, to stop it then
  starting,   // started; waits until it is healthy
  running,    // healthy and admitted to the mesh
  draining,   // not admitted any more; open connections end
  stopping,   // awaits stop
  ended,      // does not run and never will again; its container may still be there
  removing,   // awaits remove
  gone,       // nothing is left
};

enum class TaskEvent : uint8_t {
  begin,          // it may be prepared
  prepared,       // prepare succeeded
  started,        // start succeeded
  call_failed,    // prepare or start failed for good
  run_wanted,     // desired state is running
  healthy,        // works
  unhealthy,      // its health check failed for good
  exited,         // ended by itself, or the runtime lost it
  stop_wanted,    // desired state is shutdown or more, or it cannot go on (port in use)
  drained,        // the last connection ended, or the drain timeout passed
  stopped,        // stop succeeded
  remove_wanted,  // its record is gone
  removed,        // remove succeeded
};

inline constexpr TaskStep kLastTaskStep = TaskStep::gone;
inline constexpr TaskEvent kLastTaskEvent = TaskEvent::removed;

// The step that follows; nothing when the event means nothing in this step and is to be ignored.
std::optional<TaskStep> next(TaskStep step, TaskEvent event);

std::string_view to_string(TaskStep step);
std::ostream& operator<<(std::ostream& out, TaskStep step);

}  // namespace swarm::agent
