#include "runtime/docker/run_ending.h"

#include "model/signals.h"

namespace swarm::runtime {

namespace {

constexpr int32_t kSignalBase = 128;
constexpr int32_t kInterrupt = 2;
constexpr int32_t kQuit = 3;
constexpr int32_t kKill = 9;
constexpr int32_t kTerminate = 15;

std::string signal_text(int32_t signal) {
  const std::string_view name = model::signal_name(signal);
  return name.empty() ? "signal " + std::to_string(signal) : std::string(name);
}

// One run: who killed it, and its end if the engine remembers that.
struct Run {
  std::vector<int32_t> kills;
  std::optional<int32_t> exit_code;
};

Run find_run(const std::vector<EngineEvent>& history, int64_t since) {
  Run run;
  for (const EngineEvent& event : history) {
    if (event.nanos < since) {
      continue;
    }
    if (run.exit_code && since > 0) {
      break;
    }
    if (run.exit_code) {
      run = Run();
    }
    if (event.is_end()) {
      run.exit_code = event.exit_code;
    } else {
      run.kills.push_back(event.signal);
    }
  }
  return run;
}

}  // namespace

bool is_meant_to_end(int32_t signal, const ContainerState& state) {
  const auto stop_signal = model::parse_signal(state.stop_signal);
  return signal == kTerminate || signal == kKill || signal == kInterrupt || signal == kQuit ||
         signal == stop_signal;
}

bool remembers_ending(const std::vector<EngineEvent>& history, int64_t since) {
  return find_run(history, since).exit_code.has_value();
}

RunEnding judge_ending(const ContainerState& state, int64_t since,
                       const std::optional<std::vector<EngineEvent>>& history) {
  const Run run = history ? find_run(*history, since) : Run();
  RunEnding ending{run.exit_code.value_or(state.exit_code), state.error, false};
  for (const int32_t signal : run.kills) {
    if (is_meant_to_end(signal, state) || ending.exit_code == kSignalBase + signal) {
      ending.is_external_stop = true;
      ending.error = "stopped from outside with " + signal_text(signal);
    }
  }
  if (!run.exit_code && !ending.is_external_stop && ending.exit_code == 0) {
    ending.is_external_stop = true;
    ending.error = "stopped with its engine";
  }
  return ending;
}

}  // namespace swarm::runtime
