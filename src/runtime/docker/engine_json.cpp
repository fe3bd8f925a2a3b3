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

Result<std::vector<std::string>> parse_container_ids(std::string_view text) {
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array()) {
    return absl::InternalError("the engine's list of containers cannot be read");
  }
  std::vector<std::string> ids;
  for (const json& container : list) {
    ids.push_back(text_field(container, "Id"));
  }
  return ids;
}

std::optional<std::string> parse_event(std::string_view line) {
  const json event = json::parse(line, nullptr, false);
  std::string id = text_field(field(event, "Actor"), "ID");
  if (text_field(event, "Type") != "container" || id.empty()) {
    return std::nullopt;
  }
  return id;
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

std::string event_filter() {
  // "die" is Docker's word and "died" Podman's.
  const json filter = {
      {"type", {"container"}},
      {"label", {kManagedLabel}},
      {"event", {"start", "die", "died", "oom", "health_status", "destroy", "remove"}}};
  return percent_encode(filter.dump());
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
