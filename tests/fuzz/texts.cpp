#include "base/units.h"
#include "fuzz/target.h"
#include "model/validate.h"
#include "security/join_token.h"

// Everything that people type, read by every parser there is.
namespace swarm::fuzz {

namespace {

Status check_quantities(std::string_view text) {
  const Result<Duration> duration = parse_duration(text);
  if (duration.ok()) {
    const Result<Duration> again = parse_duration(format_duration(*duration));
    if (!again.ok() || *again != *duration) {
      return bug("a duration comes back as " + format_duration(*duration));
    }
    format_age(*duration);
  }
  const Result<int64_t> cpus = parse_nano_cpus(text);
  if (cpus.ok()) {
    const Result<int64_t> again = parse_nano_cpus(format_nano_cpus(*cpus));
    if (!again.ok() || *again != *cpus) {
      return bug("CPUs come back as " + format_nano_cpus(*cpus));
    }
  }
  const Result<int64_t> bytes = parse_bytes(text);
  if (bytes.ok() && (*bytes < 0 || format_bytes(*bytes).empty())) {
    return bug("a size of " + std::to_string(*bytes));
  }
  const Result<int64_t> integer = parse_integer(text, -10, 10, "the number");
  if (integer.ok() && (*integer < -10 || *integer > 10)) {
    return bug("an integer of " + std::to_string(*integer));
  }
  return absl::OkStatus();
}

Status check_port(std::string_view text) {
  const Result<model::PublishedPort> port = model::parse_port(text);
  if (!port.ok()) {
    return absl::OkStatus();
  }
  model::ServiceSpec spec;
  spec.name = "web";
  spec.task.container.image = "web:1.0";
  spec.task.ports = {*port};
  const Status valid = model::validate_spec(spec);
  return valid.ok() && !model::format_port(*port).empty()
             ? absl::OkStatus()
             : bug("a port that was accepted is refused later: " + std::string(valid.message()));
}

Status check_join_token(std::string_view text) {
  const Result<security::JoinToken> token = security::parse_join_token(text);
  return !token.ok() || format_join_token(*token) == text
             ? absl::OkStatus()
             : bug("a join token comes back as another");
}

}  // namespace

Status run_texts(std::string_view input) {
  SWARM_RETURN_IF_ERROR(check_quantities(input));
  SWARM_RETURN_IF_ERROR(check_port(input));
  SWARM_RETURN_IF_ERROR(check_join_token(input));
  for (const Status& status :
       {model::validate_name(input), model::validate_image(input),
        model::parse_constraint(input).status(), model::parse_preference(input).status()}) {
    if (!status.ok() && !absl::IsInvalidArgument(status)) {
      return status;
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> text_seeds() {
  return {
      "1h30m0.5s",
      "-250ms",
      "9223372036.854775807s",
      "1.5GiB",
      "512m",
      "0.123456789",
      "8080:80/tcp",
      "mode=host,target=80,published=8080,protocol=udp",
      "web-1",
      "registry.example:5000/team/web:1.0@sha256:" + std::string(64, 'a'),
      "node.labels.zone != a",
      "spread=node.labels.zone",
      "SWMTKN-1-" + std::string(50, 'd') + "-" + std::string(25, 's'),
  };
}

}  // namespace swarm::fuzz
