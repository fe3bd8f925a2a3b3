#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "runtime/docker/call_queue.h"
#include "runtime/docker/container_json.h"
#include "runtime/docker/engine_json.h"
#include "runtime/docker/engine_session.h"

namespace swarm::runtime {

// How many calls of one sort an engine is given at a time; the others wait for their turn. More
// make it slower, not faster, and thousands of tasks must not cost thousands of connections.
inline constexpr size_t kMaxCreations = 8;  // kept by who creates: container_maker.h
inline constexpr size_t kMaxStarts = 8;
inline constexpr size_t kMaxRemovals = 8;
inline constexpr size_t kMaxInspections = 16;
inline constexpr size_t kMaxStops = 64;  // most of them wait for a grace period
inline constexpr size_t kMaxExecs = 8;

// How long an engine that works takes at most to say that it is there.
inline constexpr Duration kPingLimit = seconds(5);

// The calls of the Docker Engine API that running tasks takes, each with a bounded wait and a
// bounded answer. On the loop; no callback comes from inside a call, and none after its
// destruction.
//
// The first call asks the engine which versions it speaks. Errors: UNAVAILABLE when it does not
// answer; otherwise as in engine_json.h's error_of.
class EngineClient {
 public:
  template <class Value>
  using Done = absl::AnyInvocable<void(Result<Value>)>;
  using StatusDone = absl::AnyInvocable<void(Status)>;

  EngineClient(AsioLoop& loop, std::string socket);

  // Asks for the version (again: the engine may have been upgraded under us).
  void ping(StatusDone done);
  void info(Done<agent::EngineDescription> done);

  void create(const std::string& name, std::string body, Done<std::string> done);
  void start(const std::string& container, StatusDone done);
  // Stop signal, then kill after the grace period, in whole seconds. OK if it does not run.
  void stop(const std::string& container, Duration grace, StatusDone done);
  // With its anonymous volumes. OK if there is none.
  void remove(const std::string& container, StatusDone done);
  void inspect(const std::string& container, Done<ContainerState> done);
  // All that carry the labels, running or not.
  void list(const std::vector<std::string>& labels, Done<std::vector<ListedContainer>> done);
  // What was done to the container until now: kills and ends, as far as the engine remembers. It
  // forgets with its own restart, and after some hundred events of all containers.
  void history(const std::string& container, Done<std::vector<EngineEvent>> done);
  // The engine shall not start the container again when it ends.
  void forbid_restarts(const std::string& container, StatusDone done);
  // Runs a command in a running container, until it ends.
  struct Ran {
    int32_t exit_code = 0;
    std::string output;
  };
  void exec(const std::string& container, const std::vector<std::string>& command, Done<Ran> done);
  // Fetches an image from its registry.
  void pull(const std::string& image, StatusDone done);

  // Events about containers, also of others, until the engine goes away.
  struct Watch {
    absl::AnyInvocable<void()> on_open;
    absl::AnyInvocable<void(const EngineEvent&)> on_event;
    absl::AnyInvocable<void(Status)> on_end;
  };
  // Replaces the watch there was.
  void watch(Watch watch);

 private:
  struct Answer {
    EngineHeader header;
    std::string body;
  };
  struct LineCall;
  using AnswerDone = absl::AnyInvocable<void(Result<Answer>)>;

  // Calls with the version before the target ("/containers/json").
  void call(EngineRequest request, AnswerDone done);
  void call_unversioned(EngineRequest request, AnswerDone done);
  void call_in_turn(CallQueue& queue, EngineRequest request, AnswerDone done);
  void run_exec(const std::string& exec, Done<Ran> done);
  // An answer that comes in lines; one of 400 and above ends with its error.
  void call_lines(EngineRequest request, std::shared_ptr<LineCall> call);
  void with_version(absl::AnyInvocable<void(Status)> next);
  uint64_t begin(const EngineRequest& request, EngineEvents events);

  AsioLoop& loop_;
  std::string socket_;
  std::string version_;  // "1.41"; empty: not asked yet
  uint64_t last_session_ = 0;
  uint64_t watch_session_ = 0;
  std::map<uint64_t, std::unique_ptr<EngineSession>> sessions_;
  CallQueue starts_{kMaxStarts};
  CallQueue removals_{kMaxRemovals};
  CallQueue inspections_{kMaxInspections};
  CallQueue stops_{kMaxStops};
  CallQueue execs_{kMaxExecs};
  Anchor anchor_;
};

}  // namespace swarm::runtime
