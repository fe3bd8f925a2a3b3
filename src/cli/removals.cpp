#include "cli/removals.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "cli/spec_text.h"
#include "model/validate.h"

namespace swarm::cli {

namespace {

using model::Labels;
using model::PublishedPort;
using model::ServiceSpec;
using Names = std::vector<std::string>;

Status any_text(std::string_view) {
  return absl::OkStatus();
}

// ---- labels and variables: KEY, or KEY=VALUE ----

Names keys_of(const Labels& labels) {
  Names names;
  for (const auto& [key, value] : labels) {
    names.push_back(key);
  }
  return names;
}

size_t remove_label(Labels& labels, std::string_view text) {
  const size_t equals = text.find('=');
  const auto found = labels.find(text.substr(0, equals));
  const bool is_match =
      found != labels.end() && (equals == text.npos || found->second == text.substr(equals + 1));
  return is_match ? labels.erase(text.substr(0, equals)) : 0;
}

Names variables_of(const ServiceSpec& spec) {
  Names names;
  for (const std::string& entry : spec.task.container.env) {
    names.push_back(entry.substr(0, entry.find('=')));
  }
  return names;
}

size_t remove_variable(ServiceSpec& spec, std::string_view text) {
  const bool has_value = text.find('=') != text.npos;
  return std::erase_if(spec.task.container.env, [&](const std::string& entry) {
    return text == (has_value ? entry : entry.substr(0, entry.find('=')));
  });
}

// ---- mounts ----

Names targets_of(const ServiceSpec& spec) {
  Names names;
  for (const model::Mount& mount : spec.task.container.mounts) {
    names.push_back(mount.target);
  }
  return names;
}

size_t remove_mount(ServiceSpec& spec, std::string_view target) {
  return std::erase_if(spec.task.container.mounts,
                       [target](const model::Mount& mount) { return mount.target == target; });
}

// ---- ports ----

std::string written(const PublishedPort& port) {
  const std::string protocol(model::to_string(port.protocol));
  const bool is_tcp = port.protocol == model::PortProtocol::tcp;
  const std::string published = std::to_string(port.published);
  const std::string target = std::to_string(port.target);
  if (port.mode == model::PublishMode::host) {
    return "mode=host,target=" + target + ",published=" + published +
           (is_tcp ? "" : ",protocol=" + protocol);
  }
  return published + ":" + target + (is_tcp ? "" : "/" + protocol);
}

Names ports_of(const ServiceSpec& spec) {
  Names names;
  for (const PublishedPort& port : spec.task.ports) {
    names.push_back(written(port));
  }
  return names;
}

// A port as far as it was written down.
struct PortPattern {
  uint16_t target = 0;
  uint16_t published = 0;  // 0: any
  std::optional<model::PortProtocol> protocol;
  std::optional<model::PublishMode> mode;

  bool fits(const PublishedPort& port) const {
    return (target == 0 || port.target == target) &&
           (published == 0 || port.published == published) &&
           port.protocol == protocol.value_or(port.protocol) &&
           port.mode == mode.value_or(port.mode);
  }
};

Result<PortPattern> parse_port_pattern(std::string_view text) {
  SWARM_ASSIGN_OR_RETURN(const PublishedPort port, model::parse_port(text));
  PortPattern pattern{
      .target = port.target, .published = port.published, .protocol = {}, .mode = {}};
  if (text.find('/') != text.npos || text.find("protocol=") != text.npos) {
    pattern.protocol = port.protocol;
  }
  if (text.find("mode=") != text.npos) {
    pattern.mode = port.mode;
  }
  return pattern;
}

// A lone number is a target port, as in the reference; where there is no such target, the published
// port that people have in front of them.
size_t remove_port(ServiceSpec& spec, std::string_view text) {
  const Result<PortPattern> parsed = parse_port_pattern(text);
  if (!parsed.ok()) {
    return 0;
  }
  PortPattern pattern = *parsed;
  const auto fits = [&pattern](const PublishedPort& port) { return pattern.fits(port); };
  const size_t removed = std::erase_if(spec.task.ports, fits);
  if (removed > 0 || pattern.published != 0) {
    return removed;
  }
  std::swap(pattern.published, pattern.target);
  return std::erase_if(spec.task.ports, fits);
}

// ---- placement ----

size_t remove_constraint(ServiceSpec& spec, std::string_view text) {
  return std::erase_if(spec.task.placement.edit().constraints, [text](const std::string& stored) {
    return is_same_constraint(stored, text);
  });
}

Names preferences_of(const ServiceSpec& spec) {
  Names names;
  for (const std::string& descriptor : spec.task.placement->preferences) {
    names.push_back("spread=" + descriptor);
  }
  return names;
}

size_t remove_preference(ServiceSpec& spec, std::string_view text) {
  const Result<std::string> descriptor = model::parse_preference(text);
  return descriptor.ok() ? std::erase(spec.task.placement.edit().preferences, *descriptor) : 0;
}

constexpr Removal kRemovals[] = {
    {"--label-rm", "KEY", "Remove a label of the service", "label", &any_text,
     [](const ServiceSpec& spec) { return keys_of(spec.labels); },
     [](ServiceSpec& spec, std::string_view text) { return remove_label(spec.labels, text); }},
    {"--container-label-rm", "KEY", "Remove a label of the containers", "container label",
     &any_text, [](const ServiceSpec& spec) { return keys_of(*spec.task.container.labels); },
     [](ServiceSpec& spec, std::string_view text) {
       return remove_label(spec.task.container.labels.edit(), text);
     }},
    {"--env-rm", "NAME", "Remove an environment variable", "environment variable", &any_text,
     &variables_of, &remove_variable},
    {"--mount-rm", "TARGET", "Remove the mount of this target path", "mount", &any_text,
     &targets_of, &remove_mount},
    {"--publish-rm", "PORT", "Stop publishing a port: 80, 8080:80, or mode=host,target=80",
     "published port", [](std::string_view text) { return parse_port_pattern(text).status(); },
     &ports_of, &remove_port},
    {"--constraint-rm", "KEY==VALUE", "Remove a placement constraint", "constraint", &any_text,
     [](const ServiceSpec& spec) { return spec.task.placement->constraints; }, &remove_constraint},
    {"--placement-pref-rm", "spread=KEY", "Remove a placement preference", "placement preference",
     [](std::string_view text) { return model::parse_preference(text).status(); }, &preferences_of,
     &remove_preference},
};

}  // namespace

std::span<const Removal> removals() {
  return kRemovals;
}

Status remove_from(ServiceSpec& spec, const Removal& removal,
                   const std::vector<std::string>& texts) {
  const ServiceSpec before = spec;
  for (const std::string& text : texts) {
    // What another text takes out too is still a match.
    ServiceSpec alone = before;
    if (removal.remove(alone, text) == 0) {
      spec = before;
      return nothing_to_remove(removal.flag, text, removal.noun, "service " + spec.name,
                               removal.names(before));
    }
    removal.remove(spec, text);
  }
  return absl::OkStatus();
}

Status nothing_to_remove(std::string_view flag, std::string_view text, std::string_view noun,
                         std::string_view owner, const std::vector<std::string>& names) {
  std::string there;
  for (const std::string& name : names) {
    there += (there.empty() ? "" : ", ") + name;
  }
  return absl::NotFoundError(std::string(flag) + " " + std::string(text) + ": no such " +
                             std::string(noun) + "; " + std::string(owner) + " has " +
                             (there.empty() ? "none" : there));
}

}  // namespace swarm::cli
