#include "runtime/docker/engine_json.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "runtime/docker/container_json.h"
#include "runtime/docker/json_fields.h"

namespace swarm::runtime {

namespace {

using nlohmann::json;

// The newest version whose answers we know, and the oldest with all that is asked for here (health
// checks, mounts and init are older).
constexpr int kNewestMinor = 44;
constexpr int kOldestMinor = 24;
constexpr size_t kMaxMessage = 1'000;

std::string message_of(std::string_view body) {
  const std::string message = text_field(json::parse(body, nullptr, false), "message");
  std::string text = message.empty() ? std::string(body) : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text.substr(0, kMaxMessage);
}

}  // namespace

Status error_of(int status, std::string_view body) {
  const std::string message = message_of(body);
  switch (status) {
    case 404:
      return absl::NotFoundError(message);
    case 409:
      return absl::AlreadyExistsError(message);
    case 502:
    case 503:
    case 504:
      return absl::UnavailableError(message);
    default:
      return absl::FailedPreconditionError(
          message.empty() ? "the engine answered " + std::to_string(status) : message);
  }
}

Result<agent::EngineDescription> parse_info(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    return absl::InternalError("the engine's description of itself cannot be read");
  }
  agent::EngineDescription description;
  description.runtime = "docker";
  description.version = text_field(object, "ServerVersion");
  description.resources = {.nano_cpus = number_field(object, "NCPU") * 1'000'000'000,
                           .memory_bytes = number_field(object, "MemTotal")};
  for (const json& label : field(object, "Labels")) {
    if (label.is_string()) {
      const auto text_label = label.get<std::string>();
      const size_t equals = text_label.find('=');
      description.labels[text_label.substr(0, equals)] =
          equals == std::string::npos ? "" : text_label.substr(equals + 1);
    }
  }
  return description;
}

Result<std::string> parse_created_id(std::string_view text) {
  std::string id = text_field(json::parse(text, nullptr, false), "Id");
  if (id.empty()) {
    return absl::InternalError("the engine did not name the container it made");
  }
  return id;
}

Result<std::vector<ListedContainer>> parse_containers(std::string_view text) {
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) {
    return absl::InternalError("the engine's list of containers cannot be read");
  }
  std::vector<ListedContainer> containers;
  for (const json& container : list) {
    containers.push_back({.id = text_field(container, "Id"),
                          .state = text_field(container, "State"),
                          .address = private_address(field(container, "NetworkSettings"))});
  }
  return containers;
}

std::optional<EngineEvent> parse_event(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  const std::string type = text_field(object, "Type");
  const json& actor = field(object, "Actor");
  const json& attributes = field(actor, "Attributes");
  EngineEvent event;
  if (type == "container") {
    event.container = text_field(actor, "ID");
  } else if (type == "network") {
    event.container = text_field(attributes, "container");
  }
  if (event.container.empty()) {
    return std::nullopt;
  }
  event.action = text_field(object, "Action");
  event.signal = to_number<int32_t>(text_field(attributes, "signal"));
  const std::string docker_code = text_field(attributes, "exitCode");
  event.exit_code = to_number<int32_t>(
      docker_code.empty() ? text_field(attributes, "containerExitCode") : docker_code);
  event.nanos = number_field(object, "timeNano");
  return event;
}

std::string exec_body(const std::vector<std::string>& command) {
  const json body = {{"AttachStdout", true}, {"AttachStderr", true}, {"Cmd", command}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> parse_exec_id(std::string_view text) {
  std::string id = text_field(json::parse(text, nullptr, false), "Id");
  if (id.empty()) {
    return absl::InternalError("the engine did not name the command it is to run");
  }
  return id;
}

Result<int32_t> parse_exec_exit(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  const json& code = field(object, "ExitCode");
  if (!code.is_number() || flag_field(object, "Running")) {
    return absl::InternalError("the engine does not say how the command ended");
  }
  return code.get<int32_t>();
}

std::string parse_output(std::string_view stream) {
  // Each frame: one byte for the output it is of, three zero bytes, four of its length.
  constexpr size_t kFrameHeader = 8;
  std::string output;
  while (stream.size() >= kFrameHeader && output.size() < kMaxMessage) {
    size_t size = 0;
    for (size_t i = 4; i < kFrameHeader; ++i) {
      size = size << 8 | static_cast<uint8_t>(stream[i]);
    }
    stream.remove_prefix(kFrameHeader);
    size = std::min(size, stream.size());
    output.append(stream.substr(0, size));
    stream.remove_prefix(size);
  }
  return output.substr(0, kMaxMessage);
}

std::optional<std::string> parse_pull_error(std::string_view line) {
  std::string error = text_field(json::parse(line, nullptr, false), "error");
  return error.empty() ? std::nullopt : std::optional(error.substr(0, kMaxMessage));
}

Result<std::string> choose_api_version(std::string_view newest) {
  int minor = 0;
  if (!newest.starts_with("1.") ||
      std::from_chars(newest.data() + 2, newest.data() + newest.size(), minor).ec != std::errc{} ||
      minor < kOldestMinor) {
    return absl::FailedPreconditionError("the engine speaks version '" + std::string(newest) +
                                         "' of the Docker API: 1." + std::to_string(kOldestMinor) +
                                         " or newer is needed");
  }
  return "1." + std::to_string(std::min(minor, kNewestMinor));
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:";
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      result += '%';
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    }
  }
  return result;
}

std::string label_filter(const std::vector<std::string>& labels) {
  return percent_encode(json{{"label", labels}}.dump());
}

// All containers, not only ours: an event about a network does not carry the labels of the
// container. "die" is Docker's word and "died" Podman's.
std::string event_filter() {
  const json filter = {{"type", {"container", "network"}},
                       {"event",
                        {"start", "kill", "die", "died", "oom", "health_status", "destroy",
                         "remove", "pause", "unpause", "update", "connect", "disconnect"}}};
  return percent_encode(filter.dump());
}

std::string history_query(const std::string& container, WallTime now) {
  const json filter = {
      {"type", {"container"}}, {"container", {container}}, {"event", {"kill", "die", "died"}}};
  // The engine takes "seconds.nanoseconds" with all nine digits.
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t nanos = now.time_since_epoch().count();
  const std::string fraction = std::to_string(kSecond + nanos % kSecond).substr(1);
  return "since=0&until=" + std::to_string(nanos / kSecond) + "." + fraction +
         "&filters=" + percent_encode(filter.dump());
}

std::string pull_query(std::string_view image) {
  const size_t digest = image.find('@');
  const size_t slash = image.rfind('/');
  const size_t colon = image.rfind(':');
  const bool has_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  std::string_view name = image;
  std::string_view tag = "latest";
  if (digest != std::string_view::npos) {
    name = image.substr(0, digest);
    tag = image.substr(digest + 1);
  } else if (has_tag) {
    name = image.substr(0, colon);
    tag = image.substr(colon + 1);
  }
  return "fromImage=" + percent_encode(name) + "&tag=" + percent_encode(tag);
}

}  // namespace swarm::runtime
