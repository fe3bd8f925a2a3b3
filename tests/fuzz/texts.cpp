#include "base/units.h"
#include "fuzz/target.h"
#include "model/validate.h"
#include "security/join_token.h"

// Everything that people type, read by every parser there is.
namespace swarm::fuzz {

namespace {

Result<bool> check_quantities(std::string_view text) {
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
  return duration.ok() || cpus.ok() || bytes.ok() || integer.ok();
}

Result<bool> check_port(std::string_view text) {
  const Result<model::PublishedPort> port = model::parse_port(text);
  if (!port.ok()) {
    return refused(port.status(), absl::IsInvalidArgument);
  }
  model::ServiceSpec spec;
  spec.name = "web";
  spec.task.container.image = "web:1.0";
  spec.task.ports = {*port};
  const Status valid = model::validate_spec(spec);
  return accepted(valid.ok() && !model::format_port(*port).empty(),
                  "a port is refused later: " + std::string(valid.message()));
}

Result<bool> check_join_token(std::string_view text) {
  const Result<security::JoinToken> token = security::parse_join_token(text);
  if (!token.ok()) {
    return refused(token.status(), absl::IsInvalidArgument);
  }
  return accepted(format_join_token(*token) == text, "a join token comes back as another");
}

Result<bool> check_names(std::string_view text) {
  bool is_accepted = false;
  for (const Status& status :
       {model::validate_name(text), model::validate_image(text),
        model::parse_constraint(text).status(), model::parse_preference(text).status()}) {
    is_accepted = is_accepted || status.ok();
    if (!status.ok()) {
      SWARM_RETURN_IF_ERROR(refused(status, absl::IsInvalidArgument).status());
    }
  }
  return is_accepted;
}

}  // namespace

Result<bool> run_texts(std::string_view input) {
  bool is_accepted = false;
  for (const auto check : {check_quantities, check_port, check_join_token, check_names}) {
    SWARM_ASSIGN_OR_RETURN(const bool is_one, check(input));
    is_accepted = is_accepted || is_one;
  }
  return is_accepted;
}

std::vector<std::string> text_seeds() {
  return {
      "1h30m0.5s",
      "-250ms",
      "9223372036.854775807s",
      "1." + std::string(64, '2') + "s",
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
