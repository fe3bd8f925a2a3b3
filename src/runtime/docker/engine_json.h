#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor.h"
#include "base/result.h"
#include "base/time.h"

// The rest of what an engine is asked and answers. Pure.
namespace swarm::runtime {

// The status for an answer of 400 and above, with the engine's own message. What cannot be cured by
// trying again is NOT_FOUND (404), ALREADY_EXISTS (409) or FAILED_PRECONDITION.
Status error_of(int status, std::string_view body);

// From GET /info.
Result<agent::EngineDescription> parse_info(std::string_view text);
// From POST /containers/create.
Result<std::string> parse_created_id(std::string_view text);
// One container of GET /containers/json: enough to see that something has changed.
struct ListedContainer {
  std::string id;
  std::string state;    // the engine's word: "running", "paused", "exited"
  std::string address;  // as ContainerState::address

  bool operator==(const ListedContainer&) const = default;
};
Result<std::vector<ListedContainer>> parse_containers(std::string_view text);
// A line of GET /events about a container, or about the network of one.
struct EngineEvent {
  std::string container;
  std::string action;     // "kill", "die", "health_status: healthy"
  int32_t signal = 0;     // of "kill"
  int32_t exit_code = 0;  // of "die"
  int64_t nanos = 0;      // since the Unix epoch

  // Podman says "died".
  bool is_end() const { return action == "die" || action == "died"; }
};
// Nothing if it is about something else.
std::optional<EngineEvent> parse_event(std::string_view line);
// The body of POST /containers/ID/exec: with the output of the command attached.
std::string exec_body(const std::vector<std::string>& command);
// From POST /containers/ID/exec, and the exit code from GET /exec/ID/json.
Result<std::string> parse_exec_id(std::string_view text);
Result<int32_t> parse_exec_exit(std::string_view text);
// What a program wrote, from the engine's framed stream of its two outputs. Bounded.
std::string parse_output(std::string_view stream);
// What went wrong, from a line of a pull's progress.
std::optional<std::string> parse_pull_error(std::string_view line);

// The version of the API to speak with an engine that announces `newest`, or an error if it is too
// old. Engines refuse versions newer than their own, and new engines refuse old ones.
Result<std::string> choose_api_version(std::string_view newest);

// "%7B%22label%22..." for the parameter `filters`.
std::string label_filter(const std::vector<std::string>& labels);
std::string event_filter();
// The parameters for what happened to one container until `now`.
std::string history_query(const std::string& container, WallTime now);
std::string percent_encode(std::string_view text);

// "web:1.0" -> "fromImage=web&tag=1.0".
std::string pull_query(std::string_view image);

}  // namespace swarm::runtime
