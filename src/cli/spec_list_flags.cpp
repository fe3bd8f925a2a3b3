#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "cli/environment.h"
#include "cli/flags.h"
#include "cli/removals.h"
#include "cli/spec_flags.h"
#include "cli/spec_text.h"
#include "model/validate.h"

namespace swarm::cli {

namespace {

using model::Labels;
using model::Mount;
using model::PublishedPort;
using model::ServiceSpec;

// A repeatable flag, each value of which is parsed and then changes the spec.
template <class T>
void add_items(CLI::App& app, SpecEdits& edits, const std::string& name, std::string_view type,
               const std::string& help, std::function<Result<T>(std::string_view)> parse,
               std::function<void(ServiceSpec&, const std::vector<T>&)> change) {
  add_list(app, name, type, help,
           [&edits, name, parse = std::move(parse),
            change = std::move(change)](const std::vector<std::string>& texts) {
             std::vector<T> items;
             for (const std::string& text : texts) {
               Result<T> item = parse(text);
               if (!item.ok()) {
                 throw_usage_error(name, item.status());
               }
               items.push_back(*std::move(item));
             }
             edits.add([change, items = std::move(items)](ServiceSpec& spec) {
               change(spec, items);
               return absl::OkStatus();
             });
           });
}

using KeyValue = std::pair<std::string, std::string>;

Labels& service_labels(ServiceSpec& spec) {
  return spec.labels;
}
Labels& container_labels(ServiceSpec& spec) {
  return spec.task.container.labels.edit();
}
std::vector<std::string>& constraints(ServiceSpec& spec) {
  return spec.task.placement.edit().constraints;
}
std::vector<std::string>& preferences(ServiceSpec& spec) {
  return spec.task.placement.edit().preferences;
}

void add_labels(CLI::App& app, SpecEdits& edits, const std::string& name, const std::string& help,
                Labels& (*labels)(ServiceSpec&)) {
  add_items<KeyValue>(app, edits, name, "KEY=VALUE", help, &parse_key_value,
                      [labels](ServiceSpec& spec, const std::vector<KeyValue>& items) {
                        for (const auto& [key, value] : items) {
                          labels(spec)[key] = value;
                        }
                      });
}

// "NAME" alone takes the value the client has; a variable the client does not have is left out.
void add_env(CLI::App& app, SpecEdits& edits, const std::string& name, const std::string& help,
             Environment& environment) {
  add_items<KeyValue>(
      app, edits, name, "NAME[=VALUE]", help,
      [](std::string_view text) -> Result<KeyValue> {
        SWARM_ASSIGN_OR_RETURN(KeyValue item, parse_key_value(text));
        item.second = text;
        return item;
      },
      [&environment](ServiceSpec& spec, const std::vector<KeyValue>& items) {
        for (const auto& [variable, text] : items) {
          if (text.find('=') != text.npos) {
            set_env(spec.task.container.env, text);
          } else if (const auto value = environment.variable(variable)) {
            set_env(spec.task.container.env, variable + "=" + *value);
          }
        }
      });
}

void add_env_file(CLI::App& app, SpecEdits& edits, Environment& environment) {
  const auto parse = [&environment](std::string_view path) -> Result<std::vector<std::string>> {
    SWARM_ASSIGN_OR_RETURN(const std::string text, environment.read_file(std::string(path)));
    return parse_env_file(text);
  };
  add_items<std::vector<std::string>>(
      app, edits, "--env-file", "PATH", "Read environment variables from a file", parse,
      [&environment](ServiceSpec& spec, const std::vector<std::vector<std::string>>& files) {
        for (const std::vector<std::string>& entries : files) {
          for (const std::string& entry : entries) {
            if (entry.find('=') != entry.npos) {
              set_env(spec.task.container.env, entry);
            } else if (const auto value = environment.variable(entry)) {
              set_env(spec.task.container.env, entry + "=" + *value);
            }
          }
        }
      });
}

// Overwriting what is stored is meant; naming a target twice in one call is a slip.
void check_targets_differ(const std::string& flag, const std::vector<Mount>& mounts) {
  std::set<std::string_view> seen;
  for (const Mount& mount : mounts) {
    if (!seen.insert(mount.target).second) {
      throw_usage_error(flag, "duplicate mount point " + mount.target);
    }
  }
}

void add_mounts(CLI::App& app, SpecEdits& edits, const std::string& name, const std::string& help) {
  add_list(app, name, "OPTIONS", help, [&edits, name](const std::vector<std::string>& texts) {
    std::vector<Mount> mounts;
    for (const std::string& text : texts) {
      Result<Mount> mount = parse_mount(text);
      if (!mount.ok()) {
        throw_usage_error(name, mount.status());
      }
      mounts.push_back(*std::move(mount));
    }
    check_targets_differ(name, mounts);
    edits.add([mounts = std::move(mounts)](ServiceSpec& spec) {
      for (const Mount& mount : mounts) {
        set_mount(spec.task.container.mounts, mount);
      }
      return absl::OkStatus();
    });
  });
}

void add_ports(CLI::App& app, SpecEdits& edits, const std::string& name, const std::string& help) {
  add_items<PublishedPort>(app, edits, name, "PORT", help, &model::parse_port,
                           [](ServiceSpec& spec, const std::vector<PublishedPort>& ports) {
                             std::vector<PublishedPort>& list = spec.task.ports;
                             for (const PublishedPort& port : ports) {
                               if (std::find(list.begin(), list.end(), port) == list.end()) {
                                 list.push_back(port);
                               }
                             }
                           });
}

void add_strings(CLI::App& app, SpecEdits& edits, const std::string& name, std::string_view type,
                 const std::string& help,
                 std::function<Result<std::string>(std::string_view)> parse,
                 std::vector<std::string>& (*list)(ServiceSpec&),
                 void (*change)(std::vector<std::string>&, const std::string&)) {
  add_items<std::string>(app, edits, name, type, help, std::move(parse),
                         [list, change](ServiceSpec& spec, const std::vector<std::string>& items) {
                           for (const std::string& item : items) {
                             change(list(spec), item);
                           }
                         });
}

// Checked here for the message, stored as it was written.
Result<std::string> parse_constraint_text(std::string_view text) {
  SWARM_RETURN_IF_ERROR(model::parse_constraint(text).status());
  return std::string(text);
}

void add_constraint(std::vector<std::string>& constraints, const std::string& text) {
  const bool is_there =
      std::any_of(constraints.begin(), constraints.end(),
                  [&text](const std::string& stored) { return is_same_constraint(stored, text); });
  if (!is_there) {
    constraints.push_back(text);
  }
}

constexpr std::string_view kConstraint = "KEY==VALUE";
constexpr std::string_view kPreference = "spread=KEY";
const char* const kPortHelp =
    "Publish a port: 8080:80, or mode=host,target=80,published=8080,protocol=tcp";
const char* const kMountHelp = "Mount: type=bind|volume|tmpfs,source=PATH,target=PATH,readonly";

// Removals come first, and by then the values of --x-add are known: what is to be gone and there at
// once is a slip.
void refuse_contradictions(const CLI::App& app, const std::string& list,
                           const std::vector<std::string>& removed) {
  const std::string flag = "--" + list + "-rm";
  for (const std::string& added : values_given(app, "--" + list + "-add")) {
    for (const std::string& text : removed) {
      const std::string key = added.substr(0, added.find('='));
      if (text == key || text == added) {
        throw_usage_error(flag, "contradicts --" + list + "-add " + added + ": --" + list +
                                    "-add alone changes the value");
      }
    }
  }
}

void add_removals(CLI::App& app, SpecEdits& edits) {
  for (const Removal& removal : removals()) {
    const std::string flag(removal.flag);
    add_list(app, flag, removal.type, std::string(removal.help),
             [&app, &edits, &removal, flag](const std::vector<std::string>& texts) {
               for (const std::string& text : texts) {
                 if (const Status status = removal.check(text); !status.ok()) {
                   throw_usage_error(flag, status);
                 }
               }
               for (const std::string list : {"env", "label", "container-label"}) {
                 if (flag == "--" + list + "-rm") {
                   refuse_contradictions(app, list, texts);
                 }
               }
               edits.add([&removal, texts](ServiceSpec& spec) {
                 return remove_from(spec, removal, texts);
               });
             });
  }
}

}  // namespace

void add_create_list_flags(CLI::App& app, SpecEdits& edits, Environment& environment) {
  start_flag_group(app, "Lists (each may be repeated)");
  add_labels(app, edits, "-l,--label", "Label of the service", &service_labels);
  add_labels(app, edits, "--container-label", "Label of the containers", &container_labels);
  add_env_file(app, edits, environment);
  add_env(app, edits, "-e,--env", "Environment variable", environment);
  add_mounts(app, edits, "--mount", kMountHelp);
  add_ports(app, edits, "-p,--publish", kPortHelp);
  add_strings(app, edits, "--constraint", kConstraint, "Run only on nodes where this holds",
              &parse_constraint_text, &constraints, &add_constraint);
  add_strings(app, edits, "--placement-pref", kPreference, "Spread over the values of a label",
              &model::parse_preference, &preferences, &add_unless_there);
}

void add_update_list_flags(CLI::App& app, SpecEdits& edits, Environment& environment) {
  start_flag_group(app, "Lists (each may be repeated; removals happen first)");
  add_removals(app, edits);
  add_labels(app, edits, "--label-add", "Add or change a label of the service", &service_labels);
  add_labels(app, edits, "--container-label-add", "Add or change a label of the containers",
             &container_labels);
  add_env(app, edits, "--env-add", "Add or change an environment variable", environment);
  add_mounts(app, edits, "--mount-add", kMountHelp);
  add_ports(app, edits, "--publish-add", kPortHelp);
  add_strings(app, edits, "--constraint-add", kConstraint, "Add a placement constraint",
              &parse_constraint_text, &constraints, &add_constraint);
  add_strings(app, edits, "--placement-pref-add", kPreference, "Add a placement preference",
              &model::parse_preference, &preferences, &add_unless_there);
}

}  // namespace swarm::cli
