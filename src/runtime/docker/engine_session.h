#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "base/asio_loop.h"
#include "base/result.h"
#include "base/time.h"

namespace swarm::runtime {

// One HTTP request to an engine.
struct EngineRequest {
  std::string method = "GET";
  std::string target = {};  // "/v1.41/containers/json?all=1"
  std::string body = {};    // JSON, or nothing
  // Until the answer begins, and between two pieces of it. Zero: no limit.
  Duration answer_limit = seconds(30);
  Duration silence_limit = seconds(30);
};

struct EngineHeader {
  int status = 0;
  std::string api_version;  // of the engine, where it says so
};

// The answer, piece by piece; on the loop. `on_end` comes once and last: OK at the end of the
// answer, UNAVAILABLE when the engine could not be reached, broke off or kept silent, or what
// `on_data` returned to give up.
struct EngineEvents {
  absl::AnyInvocable<void(const EngineHeader&)> on_header;
  absl::AnyInvocable<Status(std::string_view)> on_data;
  absl::AnyInvocable<void(Status)> on_end;
};

// A request on its way, with a connection of its own (a Unix socket costs microseconds). Destroying
// it gives the request up: nothing is called afterwards.
class EngineSession {
 public:
  virtual ~EngineSession() = default;
};

// `socket` is the path of the engine's Unix socket.
std::unique_ptr<EngineSession> open_session(AsioLoop& loop, const std::string& socket,
                                            const EngineRequest& request, EngineEvents events);

}  // namespace swarm::runtime
