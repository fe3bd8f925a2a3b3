#include "model/placement.h"

#include <algorithm>
#include <utility>

#include "model/ip_network.h"

namespace swarm::model {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// The rest of `key` after `prefix`, if it starts with it and goes on.
std::optional<std::string_view> after(std::string_view key, std::string_view prefix) {
  if (key.size() > prefix.size() && equal_without_case(key.substr(0, prefix.size()), prefix)) {
    return key.substr(prefix.size());
  }
  return std::nullopt;
}

std::string label(const Labels& labels, std::string_view name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string() : found->second;
}

}  // namespace

std::optional<std::string> node_attribute(const Node& node, std::string_view key) {
  if (const auto name = after(key, "node.labels.")) {
    return label(node.spec.labels, *name);
  }
  if (const auto name = after(key, "engine.labels.")) {
    return label(node.description.engine_labels, *name);
  }
  if (equal_without_case(key, "node.id")) return node.id.value();
  if (equal_without_case(key, "node.ip")) return node.status.address;
  if (equal_without_case(key, "node.hostname")) return node.description.hostname;
  if (equal_without_case(key, "node.role")) return std::string(to_string(node.role));
  if (equal_without_case(key, "node.platform.os")) return node.description.os;
  if (equal_without_case(key, "node.platform.arch")) return node.description.architecture;
  return std::nullopt;
}

namespace {

// Two names of the same instruction set: Go's, which Docker shows, and the kernel's.
std::string_view canonical_architecture(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"amd64", "x86_64"}, {"arm64", "aarch64"}, {"386", "i386"}, {"i686", "i386"}};
  for (const auto& [alias, kernel_name] : kAliases) {
    if (equal_without_case(name, alias)) {
      return kernel_name;
    }
  }
  return name;
}

bool is_same_value(std::string_view key, std::string_view of_node, std::string_view wanted) {
  if (key == "node.ip") {
    const std::optional<IpNetwork> address = parse_ip_network(of_node);
    const std::optional<IpNetwork> range = parse_ip_network(wanted);
    return address && range && range->contains(*address);
  }
  if (key == "node.platform.arch") {
    return equal_without_case(canonical_architecture(of_node), canonical_architecture(wanted));
  }
  return equal_without_case(of_node, wanted);
}

}  // namespace

bool matches(const Constraint& constraint, const Node& node) {
  const std::optional<std::string> value = node_attribute(node, constraint.key);
  return value && is_same_value(constraint.key, *value, constraint.value) == constraint.is_equal;
}

bool matches_all(const std::vector<Constraint>& constraints, const Node& node) {
  return std::all_of(constraints.begin(), constraints.end(),
                     [&](const Constraint& constraint) { return matches(constraint, node); });
}

bool meets_constraints(const Placement& placement, const Node& node) {
  return std::all_of(placement.constraints.begin(), placement.constraints.end(),
                     [&](const std::string& text) {
                       const Result<Constraint> constraint = parse_constraint(text);
                       return constraint.ok() && matches(*constraint, node);
                     });
}

}  // namespace swarm::model
