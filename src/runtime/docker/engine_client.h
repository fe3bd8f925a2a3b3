#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "runtime/docker/container_json.h"
#include "runtime/docker/engine_session.h"

namespace swarm::runtime {

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
  // All that carry the labels, running or not: their ids.
  void list(const std::vector<std::string>& labels, Done<std::vector<std::string>> done);
  // Fetches an image from its registry.
  void pull(const std::string& image, StatusDone done);

  // Events about containers of ours, until the engine goes away. `on_event` gets the container's
  // id.
  struct Watch {
    absl::AnyInvocable<void()> on_open;
    absl::AnyInvocable<void(const std::string&)> on_event;
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
  Anchor anchor_;
};

}  // namespace swarm::runtime
