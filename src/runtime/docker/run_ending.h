#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/docker/container_json.h"
#include "runtime/docker/engine_json.h"

// How a run of a container ended, and whether somebody other than its own program and the swarm had
// a hand in it. Pure.
namespace swarm::runtime {

struct RunEnding {
  int32_t exit_code = 0;
  std::string error;
  bool is_external_stop = false;

  bool operator==(const RunEnding&) const = default;
};

// Whether a kill with this signal is meant to end the container: its stop signal, or one that few
// programs survive. SIGHUP and the like make many of them read their configuration again.
bool is_meant_to_end(int32_t signal, const ContainerState& state);

// Whether the end of that run is in it: `since` as below.
bool remembers_ending(const std::vector<EngineEvent>& history, int64_t since);

// Judges the run that began at `since` (of the engine's clock, in nanoseconds of the Unix epoch) or
// later; zero means the last one there was. `history` is what the engine remembers of the
// container, in order; nothing when it did not answer.
//
// What it does not remember ended with the engine itself, which stops its containers as it goes
// down and then forgets: a stopped server's exit code 0 is then no completion. A task that
// completed in the very moment counts as stopped too, and runs again: once too often rather than
// once too few.
RunEnding judge_ending(const ContainerState& state, int64_t since,
                       const std::optional<std::vector<EngineEvent>>& history);

}  // namespace swarm::runtime
