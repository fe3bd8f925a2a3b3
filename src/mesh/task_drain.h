#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace swarm::mesh {

// For so long a draining task is left to its open connections alone, so that under any load the
// requests of ordinary clients end it; clients without another endpoint are held meanwhile.
inline constexpr Duration kQuietTime = milliseconds(500);
// So long before its stop signal a task takes nothing new: what it took last can end. Of a short
// drain timeout, a quarter.
inline constexpr Duration kLastCall = seconds(1);

// When a task that drains may take new connections after all, because its service has nobody else.
//
//   quiet ---> open ---> quiet ---> ...          until drained, or quiet for good at the last call
//
// It opens when connections outlast the quiet time: a client that never ends would else take the
// service from all others for the whole drain timeout. It is quiet again as soon as those are gone,
// so that the drain ends when its own connections do and not when the load does. A drain without a
// timeout never opens: its task does not work, or is told to stop now.
//
// Pure. On the loop of the mesh.
class TaskDrain {
 public:
  TaskDrain(TimePoint now, Duration timeout);

  // Told again, by a new swarmd or because the task has failed meanwhile. One that never opens
  // stays so.
  void tell(TimePoint now, Duration timeout);

  bool is_open() const { return is_open_; }
  // Connections are numbered as they are made.
  void connection_closed(uint64_t number);

  enum class Change { none, opened, closed };
  // `connections`: how many the task has now; `last_number`: of the latest of any task.
  Change advance(TimePoint now, size_t connections, uint64_t last_number);
  // When `advance` may have something to say without anything happening; TimePoint::max() for
  // never.
  TimePoint next_change() const;

 private:
  TimePoint last_call_;
  TimePoint quiet_until_;
  bool is_open_ = false;
  // While it is open: the connections it had when it opened, up to that number.
  size_t outlasting_ = 0;
  uint64_t last_outlasting_ = 0;
};

}  // namespace swarm::mesh
