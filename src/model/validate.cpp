#include "model/validate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "model/text_check.h"

namespace swarm::model {
namespace {

constexpr size_t kMaxNameLength = 63;   // a DNS label (RFC 1035)
constexpr size_t kMaxPathLength = 255;  // of an image, as registries have it
constexpr size_t kMaxTagLength = 128;
constexpr size_t kMaxLabelKeyBytes = 1024;

constexpr std::string_view kImageForm =
    "use [HOST[:PORT]/]NAME[:TAG][@DIGEST] with a lower-case name, e.g. web:1.0";

// Lower-case letters and digits, in groups joined by ".", "_", "__" or dashes.
bool is_path_component(std::string_view part) {
  const auto is_word = [](char c) { return is_lower(c) || is_digit(c); };
  if (part.empty() || !is_word(part.front()) || !is_word(part.back())) {
    return false;
  }
  size_t i = 0;
  while (i < part.size()) {
    if (is_word(part[i])) {
      ++i;
      continue;
    }
    const size_t end = std::find_if(part.begin() + i, part.end(), is_word) - part.begin();
    const std::string_view joint = part.substr(i, end - i);
    if (joint != "." && joint != "_" && joint != "__" &&
        joint.find_first_not_of('-') != std::string_view::npos) {
      return false;
    }
    i = end;
  }
  return true;
}

bool is_host(std::string_view part) {
  std::string_view host = part;
  if (const size_t colon = part.find(':'); colon != std::string_view::npos) {
    const std::string_view port = part.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) {
      return false;
    }
    host = part.substr(0, colon);
  }
  return !host.empty() && is_alnum(host.front()) && is_alnum(host.back()) &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return is_alnum(c) || c == '-' || c == '.'; });
}

bool is_tag(std::string_view tag) {
  const auto is_word = [](char c) { return is_alnum(c) || c == '_'; };
  return !tag.empty() && tag.size() <= kMaxTagLength && is_word(tag.front()) &&
         std::all_of(tag.begin(), tag.end(),
                     [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// "sha256:" and at least 32 hexadecimal digits.
bool is_digest(std::string_view digest) {
  const size_t colon = digest.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    return false;
  }
  const std::string_view algorithm = digest.substr(0, colon);
  const std::string_view hex = digest.substr(colon + 1);
  return std::all_of(algorithm.begin(), algorithm.end(),
                     [](char c) { return is_lower(c) || is_digit(c); }) &&
         hex.size() >= 32 && hex.size() <= 128 &&
         hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What is left of "host/path" once tag and digest are cut off.
bool is_repository(std::string_view repository) {
  if (repository.empty() || repository.size() > kMaxPathLength) {
    return false;
  }
  size_t slash = repository.find('/');
  const std::string_view first = repository.substr(0, slash);
  if (slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost")) {
    if (!is_host(first)) {
      return false;
    }
    repository.remove_prefix(slash + 1);
  }
  while ((slash = repository.find('/')) != std::string_view::npos) {
    if (!is_path_component(repository.substr(0, slash))) {
      return false;
    }
    repository.remove_prefix(slash + 1);
  }
  return is_path_component(repository);
}

}  // namespace

Status validate_name(std::string_view name) {
  constexpr std::string_view kForm =
      "use 1 to 63 letters, digits, \"-\" or \"_\", with a letter or digit at both ends";
  if (name.empty() || name.size() > kMaxNameLength) {
    return invalid("service name", name, "has " + std::to_string(name.size()) + " characters",
                   kForm);
  }
  const auto is_allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
  if (!is_alnum(name.front()) || !is_alnum(name.back()) ||
      !std::all_of(name.begin(), name.end(), is_allowed)) {
    return invalid("service name", name, "has characters that a DNS label cannot have", kForm);
  }
  return absl::OkStatus();
}

Status validate_image(std::string_view image) {
  std::string_view rest = image;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    if (!is_digest(rest.substr(at + 1))) {
      return invalid("image", image, "has a bad digest", kImageForm);
    }
    rest = rest.substr(0, at);
  }
  const size_t slash = rest.rfind('/');
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    if (!is_tag(rest.substr(colon + 1))) {
      return invalid("image", image, "has a bad tag", kImageForm);
    }
    rest = rest.substr(0, colon);
  }
  if (!is_repository(rest)) {
    return invalid("image", image, "is not an image reference", kImageForm);
  }
  return absl::OkStatus();
}

Status validate_labels(const Labels& labels) {
  SWARM_RETURN_IF_ERROR(check_count("the list of labels", labels.size()));
  for (const auto& [key, value] : labels) {
    SWARM_RETURN_IF_ERROR(check_text("label key", key));
    SWARM_RETURN_IF_ERROR(check_text("value of label " + quoted(key), value));
    const bool has_space =
        std::any_of(key.begin(), key.end(), [](char c) { return is_control(c) || c == ' '; });
    if (key.empty() || key.size() > kMaxLabelKeyBytes || has_space) {
      return invalid("label key", key, "is empty, too long or has spaces",
                     "use KEY=VALUE with a key of 1 to 1024 characters, e.g. zone=a");
    }
    // In a constraint it would be read as an operator.
    if (key.ends_with('!') || key.find('=') != std::string::npos) {
      return invalid("label key", key, "contains \"=\" or ends with \"!\"",
                     "use a key that can stand before == and !=, e.g. zone");
    }
  }
  return absl::OkStatus();
}

Status validate_policy(const UpdatePolicy& policy, std::string_view which) {
  const std::string name(which);
  if (policy.parallelism > kMaxReplicas) {
    return invalid(name + " parallelism", std::to_string(policy.parallelism), "is too large",
                   "use 0 (all at once) to " + std::to_string(kMaxReplicas));
  }
  SWARM_RETURN_IF_ERROR(check_duration(name + " delay", policy.delay));
  SWARM_RETURN_IF_ERROR(check_duration(name + " monitor", policy.monitor));
  SWARM_RETURN_IF_ERROR(check_duration(name + " min ready", policy.min_ready));
  SWARM_RETURN_IF_ERROR(check_duration(name + " progress deadline", policy.progress_deadline));
  if (!(policy.max_failure_ratio >= 0 && policy.max_failure_ratio <= 1)) {  // NaN too
    return invalid(name + " max failure ratio", std::to_string(policy.max_failure_ratio),
                   "is out of range", "use 0 to 1, e.g. 0.25");
  }
  if (which == "rollback" && policy.failure_action == FailureAction::rollback) {
    return invalid("rollback failure action", "rollback", "would never end",
                   "use pause or continue");
  }
  return absl::OkStatus();
}

Status validate_spec(const ServiceSpec& spec) {
  SWARM_RETURN_IF_ERROR(validate_name(spec.name));
  SWARM_RETURN_IF_ERROR(validate_labels(spec.labels));
  if (spec.replicas > kMaxReplicas) {
    return invalid("replicas", std::to_string(spec.replicas), "is too large",
                   "use 0 to " + std::to_string(kMaxReplicas));
  }
  SWARM_RETURN_IF_ERROR(validate_template(spec.task));
  SWARM_RETURN_IF_ERROR(validate_policy(*spec.update, "update"));
  return validate_policy(*spec.rollback, "rollback");
}

}  // namespace swarm::model
