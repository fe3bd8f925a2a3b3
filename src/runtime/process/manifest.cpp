#include "runtime/process/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "platform/process.h"

namespace swarm::runtime {

namespace {

using nlohmann::json;

Status wrong(const std::string& what) {
  return absl::FailedPreconditionError("manifest.json: " + what);
}

Status refuse_unknown(const json& object, std::initializer_list<std::string_view> known,
                      const std::string& where) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return wrong("unknown field '" + where + key + "'");
    }
  }
  return absl::OkStatus();
}

Duration milliseconds_of(const json& object, const char* key) {
  return milliseconds(object.value(key, int64_t{0}));
}

Result<model::HealthCheck> parse_health(const json& object) {
  SWARM_RETURN_IF_ERROR(refuse_unknown(
      object, {"test", "interval_ms", "timeout_ms", "start_period_ms", "retries"}, "health."));
  model::HealthCheck health;
  health.test = object.at("test").get<std::vector<std::string>>();
  health.interval = milliseconds_of(object, "interval_ms");
  health.timeout = milliseconds_of(object, "timeout_ms");
  health.start_period = milliseconds_of(object, "start_period_ms");
  health.retries = object.value("retries", 0);
  SWARM_RETURN_IF_ERROR(check_health_test(health.test));
  return health;
}

Result<Manifest> parse_fields(const json& object) {
  SWARM_RETURN_IF_ERROR(
      refuse_unknown(object, {"command", "env", "workdir", "stop_signal", "health"}, ""));
  Manifest manifest;
  manifest.command = object.at("command").get<std::vector<std::string>>();
  if (manifest.command.empty() || manifest.command.front().empty()) {
    return wrong("'command' must name a program");
  }
  if (object.contains("env")) {
    manifest.env = object.at("env").get<std::map<std::string, std::string>>();
  }
  manifest.workdir = object.value("workdir", "");
  manifest.stop_signal = object.value("stop_signal", "");
  if (!manifest.stop_signal.empty()) {
    if (const auto signal = platform::parse_signal(manifest.stop_signal); !signal.ok()) {
      return wrong("'stop_signal': " + std::string(signal.status().message()));
    }
  }
  if (object.contains("health")) {
    SWARM_ASSIGN_OR_RETURN(manifest.health, parse_health(object.at("health")));
  }
  return manifest;
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  try {
    return parse_fields(json::parse(text));
  } catch (const json::exception& error) {
    return wrong(error.what());
  }
}

Status check_health_test(const std::vector<std::string>& test) {
  const std::string kind = test.empty() ? "" : test.front();
  const size_t arguments = test.empty() ? 0 : test.size() - 1;
  if (kind == "NONE" || (kind == "CMD" && arguments > 0) ||
      (kind == "CMD-SHELL" && arguments == 1) ||
      (kind == "HTTP" && arguments == 1 && test[1].starts_with('/'))) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "the health check is of no known form: use [\"HTTP\", \"/path\"], [\"CMD\", program, "
      "argument...], [\"CMD-SHELL\", line] or [\"NONE\"]");
}

}  // namespace swarm::runtime
