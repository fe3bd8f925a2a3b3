#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "model/ip_network.h"
#include "model/node.h"
#include "model/text_check.h"
#include "model/validate.h"

namespace swarm::model {
namespace {

constexpr std::string_view kKeys[] = {
    "node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch",
};
constexpr std::string_view kLabelPrefixes[] = {"node.labels.", "engine.labels."};
constexpr std::string_view kKnownKeys =
    "known keys are node.id, node.hostname, node.ip, node.role, node.platform.os, "
    "node.platform.arch, node.labels.NAME and engine.labels.NAME";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// What validate_labels lets a label be called.
bool is_label_name(std::string_view name) {
  return !name.empty() &&
         std::none_of(name.begin(), name.end(), [](char c) { return is_control(c) || c == ' '; });
}

// Without one pair of quotes around it: they are for values that begin or end with a space or a
// quote, or are empty.
std::string_view unquoted(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && value.front() == value.back() &&
                         (value.front() == '"' || value.front() == '\'');
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

// The key with its prefix in lower case; names of labels keep theirs.
std::optional<std::string> known_key(std::string_view key) {
  std::string folded = lower(key);
  if (std::find(std::begin(kKeys), std::end(kKeys), folded) != std::end(kKeys)) {
    return folded;
  }
  for (std::string_view prefix : kLabelPrefixes) {
    if (folded.starts_with(prefix) && is_label_name(key.substr(prefix.size()))) {
      return std::string(prefix) + std::string(key.substr(prefix.size()));
    }
  }
  return std::nullopt;
}

// A value that no node can ever have is a slip, which would leave tasks pending for ever.
Status check_value(std::string_view text, const Constraint& constraint) {
  if (constraint.key == "node.role" && !parse_role(lower(constraint.value))) {
    return invalid("constraint", text, "names no role", "use worker or manager");
  }
  if (constraint.key == "node.ip" && !parse_ip_network(constraint.value)) {
    return invalid("constraint", text, "names no address",
                   "use an address or a range of them, e.g. node.ip==10.0.0.0/8");
  }
  return absl::OkStatus();
}

}  // namespace

Result<Constraint> parse_constraint(std::string_view text) {
  const size_t equal = text.find("==");
  const size_t different = text.find("!=");
  const size_t at = std::min(equal, different);
  if (at == std::string_view::npos) {
    return invalid("constraint", text, "has no operator",
                   "use KEY==VALUE or KEY!=VALUE, e.g. node.role==worker");
  }
  const std::string_view key = trimmed(text.substr(0, at));
  const std::string_view value = trimmed(text.substr(at + 2));
  const std::optional<std::string> known = known_key(key);
  if (!known) {
    return invalid("constraint", text, "has the unknown key " + quoted(key), kKnownKeys);
  }
  if (value.empty()) {
    return invalid("constraint", text, "has no value",
                   "write one after the operator; \"\" means a label that is empty or not there");
  }
  Constraint constraint{*known, equal < different, std::string(unquoted(value))};
  SWARM_RETURN_IF_ERROR(check_value(text, constraint));
  return constraint;
}

std::string format_constraint(const Constraint& constraint) {
  const std::string& value = constraint.value;
  const bool needs_quotes = trimmed(value).size() != value.size() || value.empty() ||
                            unquoted(value).size() != value.size();
  return constraint.key + (constraint.is_equal ? "==" : "!=") +
         (needs_quotes ? '"' + value + '"' : value);
}

Result<std::string> parse_preference(std::string_view text) {
  constexpr std::string_view kRightForm =
      "use spread=node.labels.NAME or spread=engine.labels.NAME";
  std::string_view descriptor = trimmed(text);
  if (descriptor.starts_with("spread=")) {
    descriptor.remove_prefix(7);
  }
  if (descriptor.find('=') != std::string_view::npos) {
    return invalid("placement preference", text, "has another strategy than spread", kRightForm);
  }
  const std::optional<std::string> known = known_key(descriptor);
  if (!known || !(known->starts_with(kLabelPrefixes[0]) || known->starts_with(kLabelPrefixes[1]))) {
    return invalid("placement preference", text, "does not name a label", kRightForm);
  }
  return *known;
}

}  // namespace swarm::model
