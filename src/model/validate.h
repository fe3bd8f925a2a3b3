#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/service.h"

// The checks on input that need no look at the store. Each error is INVALID_ARGUMENT, names the
// field and the value, and says what would be right.
namespace swarm::model {

// A spec larger than this is refused before it is looked at. One log entry (state::kMaxEntryBytes)
// must hold it, shared out between the service and its new revision.
inline constexpr size_t kMaxSpecBytes = 512 * 1024;
inline constexpr uint64_t kMaxReplicas = 100'000;
inline constexpr size_t kMaxListItems = 1'000;
inline constexpr size_t kMaxTextBytes = 64 * 1024;

Status validate_name(std::string_view name);    // a DNS label, at most 63 characters
Status validate_image(std::string_view image);  // [host[:port]/]path[:tag][@digest]
Status validate_labels(const Labels& labels);
Status validate_policy(const UpdatePolicy& policy, std::string_view which);  // "update", "rollback"
Status validate_template(const TaskTemplate& task);
Status validate_spec(const ServiceSpec& spec);

// "node.role==manager", "node.labels.zone!=a". The value is all that follows the operator without
// spaces around it; one pair of quotes keeps those, so that the value of every label can be
// written.
struct Constraint {
  std::string key;
  bool is_equal = true;
  std::string value;

  bool operator==(const Constraint&) const = default;
};
Result<Constraint> parse_constraint(std::string_view text);
std::string format_constraint(const Constraint& constraint);  // parse_constraint gives it back

// "spread=node.labels.zone" gives "node.labels.zone", the form that is stored. Without "spread="
// too.
Result<std::string> parse_preference(std::string_view text);

// "8080:80/tcp", "80", "mode=host,target=80,published=8080".
Result<PublishedPort> parse_port(std::string_view text);
std::string format_port(const PublishedPort& port);  // "*:8080->80/tcp"

}  // namespace swarm::model
