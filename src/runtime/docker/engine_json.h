#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor.h"
#include "base/result.h"

// The rest of what an engine is asked and answers. Pure.
namespace swarm::runtime {

// The status for an answer of 400 and above, with the engine's own message. What cannot be cured by
// trying again is NOT_FOUND (404), ALREADY_EXISTS (409) or FAILED_PRECONDITION.
Status error_of(int status, std::string_view body);

// From GET /info.
Result<agent::EngineDescription> parse_info(std::string_view text);
// From POST /containers/create.
Result<std::string> parse_created_id(std::string_view text);
// From GET /containers/json.
Result<std::vector<std::string>> parse_container_ids(std::string_view text);
// The container a line of GET /events is about; nothing if it is not about one.
std::optional<std::string> parse_event(std::string_view line);
// What went wrong, from a line of a pull's progress.
std::optional<std::string> parse_pull_error(std::string_view line);

// The version of the API to speak with an engine that announces `newest`, or an error if it is too
// old. Engines refuse versions newer than their own, and new engines refuse old ones.
Result<std::string> choose_api_version(std::string_view newest);

// "%7B%22label%22..." for the parameter `filters`.
std::string label_filter(const std::vector<std::string>& labels);
std::string event_filter();
std::string percent_encode(std::string_view text);

// "web:1.0" -> "fromImage=web&tag=1.0".
std::string pull_query(std::string_view image);

}  // namespace swarm::runtime
