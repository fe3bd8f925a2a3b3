#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/flags.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "cli/removals.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "cli/spec_text.h"
#include "cli/task_list.h"

// node ls | ps | inspect | update | rm | promote | demote
namespace swarm::cli {

namespace {

using api::Client;
using References = std::vector<std::string>;

Result<std::vector<Client::NodeView>> filtered_nodes(Session& session,
                                                     const ListingOptions& options) {
  SWARM_ASSIGN_OR_RETURN(
      const Filters filters,
      Filters::parse(options.filters, {"id", "name", "role", "membership", "label", "node.label"}));
  SWARM_RETURN_IF_ERROR(filters.check_words("role", {"manager", "worker"}));
  SWARM_RETURN_IF_ERROR(filters.check_words("membership", {"accepted", "pending"}));
  SWARM_ASSIGN_OR_RETURN(std::vector<Client::NodeView> nodes, session.client().list_nodes());
  std::erase_if(nodes, [&filters](const Client::NodeView& view) {
    const model::Node& node = view.node;
    const auto starts = [](const std::string& text) {
      return [&text](const std::string& value) { return text.starts_with(value); };
    };
    const auto labelled = [](const model::Labels& labels) {
      return [&labels](const std::string& value) { return has_label(labels, value); };
    };
    return !filters.match("id", starts(node.id.value())) ||
           !filters.match("name", starts(node.description.hostname)) ||
           !filters.match("role",
                          [&](const auto& value) { return value == to_string(node.spec.role); }) ||
           !filters.match("membership", [](const auto& value) { return value == "accepted"; }) ||
           !filters.match("label", labelled(node.description.engine_labels)) ||
           !filters.match("node.label", labelled(node.spec.labels));
  });
  return nodes;
}

Action define_ls(CLI::App& app, Environment&) {
  auto options = std::make_shared<ListingOptions>();
  add_list_flags(app, *options);
  return [options](Session& session) {
    Result<std::vector<Client::NodeView>> nodes = filtered_nodes(session, *options);
    if (!nodes.ok()) {
      return session.fail(nodes.status());
    }
    if (options->is_quiet) {
      options->format = "{{.ID}}";
    }
    return print_listing(session, node_listing(*std::move(nodes)), *options, kNodeTable);
  };
}

Action define_ps(CLI::App& app, Environment&) {
  auto options = std::make_shared<TaskListOptions>();
  add_task_list_flags(app, options->listing);
  add_arguments(app, "NODE", false, options->references);
  options->of = TasksOf::nodes;
  return [options](Session& session) {
    if (options->references.empty()) {
      options->references = {"self"};
    }
    return print_tasks(session, *options);
  };
}

struct InspectOptions {
  References nodes;
  std::string format;
  bool is_pretty = false;
};

int inspect_nodes(Session& session, const InspectOptions& options) {
  if (options.is_pretty && !options.format.empty()) {
    return session.fail(absl::InvalidArgumentError("--format cannot be used with --pretty"));
  }
  std::vector<Client::NodeView> found;
  std::string pages;
  std::vector<Status> misses;
  for (const std::string& reference : options.nodes) {
    const Result<Client::NodeView> view = session.client().get_node(reference);
    if (!view.ok()) {
      misses.push_back(view.status());
    } else if (options.is_pretty) {
      pages += (pages.empty() ? "" : "\n") + node_page(*view);
    } else {
      found.push_back(*view);
    }
  }
  Result<std::string> text = options.is_pretty ? pages : nodes_as_json(found, options.format);
  if (!text.ok()) {
    return session.fail(text.status());
  }
  return print_with_misses(session, *text, misses);
}

Action define_inspect(CLI::App& app, Environment&) {
  auto options = std::make_shared<InspectOptions>();
  add_text(app, "-f,--format", "FORMAT", "json, or text with fields like {{.Status.State}}",
           options->format);
  add_switch(app, "--pretty", "Print for people to read", options->is_pretty);
  add_arguments(app, "NODE", false, options->nodes);
  return [options](Session& session) {
    if (options->nodes.empty()) {
      options->nodes = {"self"};
    }
    return inspect_nodes(session, *options);
  };
}

struct UpdateOptions {
  std::string node;
  std::optional<model::Availability> availability;
  std::optional<model::Role> role;
  std::vector<std::pair<std::string, std::string>> labels_to_add;
  References labels_to_remove;
};

Status apply(const UpdateOptions& options, model::NodeSpec& spec) {
  spec.availability = options.availability.value_or(spec.availability);
  spec.role = options.role.value_or(spec.role);
  for (const std::string& key : options.labels_to_remove) {
    if (!spec.labels.contains(key)) {
      References names;
      for (const auto& [name, value] : spec.labels) {
        names.push_back(name);
      }
      return nothing_to_remove("--label-rm", key, "label", "node " + options.node, names);
    }
    spec.labels.erase(key);
  }
  for (const auto& [key, value] : options.labels_to_add) {
    const References& removed = options.labels_to_remove;
    if (std::find(removed.begin(), removed.end(), key) != removed.end()) {
      return absl::InvalidArgumentError("--label-rm " + key + " contradicts --label-add " + key +
                                        ": --label-add alone changes the value");
    }
    spec.labels[key] = value;
  }
  return absl::OkStatus();
}

Status edit_node(Session& session, const std::string& reference,
                 const std::function<Status(model::NodeSpec&)>& edit) {
  return Session::until_in_sequence([&]() -> Status {
    SWARM_ASSIGN_OR_RETURN(const Client::NodeView view, session.client().get_node(reference));
    model::NodeSpec spec = view.node.spec;
    SWARM_RETURN_IF_ERROR(edit(spec));
    if (spec == view.node.spec) {
      return absl::OkStatus();
    }
    return session.client().update_node(view.node.id, view.node.meta.version, spec);
  });
}

int update_node(Session& session, const UpdateOptions& options) {
  const Status updated = edit_node(
      session, options.node, [&options](model::NodeSpec& spec) { return apply(options, spec); });
  if (!updated.ok()) {
    return session.fail(updated);
  }
  session.print(options.node);
  return exit_code::kOk;
}

Action define_update(CLI::App& app, Environment&) {
  auto options = std::make_shared<UpdateOptions>();
  add_choice<model::Availability>(
      app, "--availability", "active|pause|drain", "Whether the node takes tasks",
      &model::parse_availability,
      [options](model::Availability value) { options->availability = value; });
  add_choice<model::Role>(app, "--role", "worker|manager", "What the node should be",
                          &model::parse_role,
                          [options](model::Role value) { options->role = value; });
  add_list(app, "--label-rm", "KEY", "Remove a label",
           [options](const References& keys) { options->labels_to_remove = keys; });
  add_list(app, "--label-add", "KEY[=VALUE]", "Add or change a label",
           [options](const References& texts) {
             for (const std::string& text : texts) {
               auto label = parse_key_value(text);
               if (!label.ok()) {
                 throw_usage_error("--label-add", label.status());
               }
               options->labels_to_add.push_back(*std::move(label));
             }
           });
  add_argument(app, "NODE", true, options->node);
  return [options](Session& session) { return update_node(session, *options); };
}

Action define_rm(CLI::App& app, Environment&) {
  auto nodes = std::make_shared<References>();
  auto force = std::make_shared<bool>(false);
  add_switch(app, "-f,--force", "Remove although the node is not down", *force);
  add_arguments(app, "NODE", true, *nodes);
  return [nodes, force](Session& session) {
    int code = exit_code::kOk;
    for (const std::string& reference : *nodes) {
      const Status removed = session.client().remove_node(reference, *force);
      if (removed.ok()) {
        session.print(reference);
      } else {
        code = session.fail(removed);
      }
    }
    return code;
  };
}

// A node that becomes a manager joins the group of managers first, and may be refused there.
constexpr Duration kPromotionPatience = seconds(20);

Status await_promotion(Session& session, const std::string& reference) {
  session.clock().catch_interrupt();
  const TimePoint end = session.clock().now() + kPromotionPatience;
  for (;;) {
    const Result<Client::NodeView> view = session.client().get_node(reference);
    if (!view.ok() && !absl::IsUnavailable(view.status())) {
      return view.status();
    }
    if (view.ok()) {
      const model::Node& node = view->node;
      // One that is away joins when it is back.
      if (node.manager || node.status.state != model::NodeState::ready) {
        return absl::OkStatus();
      }
      if (node.spec.role == model::Role::worker) {
        return absl::FailedPreconditionError("node " + reference + " was " + node.status.message);
      }
    }
    if (session.clock().now() >= end || !session.clock().sleep(milliseconds(100))) {
      return absl::DeadlineExceededError(
          "node " + reference +
          " is to be a manager, but has not joined the managers yet: look at "
          "its log, and at `swarmctl node ls`");
    }
  }
}

int set_role(Session& session, const std::string& reference, model::Role role) {
  const bool is_promotion = role == model::Role::manager;
  bool has_it_already = false;
  const Status updated = edit_node(session, reference, [&](model::NodeSpec& spec) {
    has_it_already = spec.role == role;
    spec.role = role;
    return absl::OkStatus();
  });
  if (!updated.ok()) {
    return session.fail(updated);
  }
  if (has_it_already) {
    session.print("Node " + reference + " is already a " + std::string(to_string(role)) + ".");
    return exit_code::kOk;
  }
  if (is_promotion) {
    if (const Status promoted = await_promotion(session, reference); !promoted.ok()) {
      return session.fail(promoted);
    }
  }
  session.print(is_promotion ? "Node " + reference + " promoted to a manager in the swarm."
                             : "Manager " + reference + " demoted in the swarm.");
  return exit_code::kOk;
}

template <model::Role role>
Action define_set_role(CLI::App& app, Environment&) {
  auto nodes = std::make_shared<References>();
  add_arguments(app, "NODE", true, *nodes);
  return [nodes](Session& session) {
    int code = exit_code::kOk;
    for (const std::string& reference : *nodes) {
      const int one = set_role(session, reference, role);
      code = one == exit_code::kOk ? code : one;
    }
    return code;
  };
}

constexpr std::array kCommands = {
    Command{"ls", "list", "[OPTIONS]", "List the nodes of the swarm",
            "swarmctl node ls\nswarmctl node ls --filter role=manager --format '{{.Hostname}}'",
            &define_ls},
    Command{"ps", "", "[OPTIONS] [NODE...]", "List the tasks of nodes, by default of this one",
            "swarmctl node ps\nswarmctl node ps --filter desired-state=running node-2", &define_ps},
    Command{"inspect", "", "[OPTIONS] [NODE...]", "Show everything about nodes",
            "swarmctl node inspect --pretty self", &define_inspect},
    Command{"update", "", "[OPTIONS] NODE", "Change what is wanted of a node",
            "swarmctl node update --availability drain node-2\n"
            "swarmctl node update --label-add zone=a node-2",
            &define_update},
    Command{"rm", "remove", "[OPTIONS] NODE [NODE...]", "Remove nodes that are down",
            "swarmctl node rm node-2", &define_rm},
    Command{"promote", "", "NODE [NODE...]", "Make nodes managers",
            "swarmctl node promote node-2 node-3", &define_set_role<model::Role::manager>},
    Command{"demote", "", "NODE [NODE...]", "Make managers workers", "swarmctl node demote node-3",
            &define_set_role<model::Role::worker>},
};

}  // namespace

std::span<const Command> node_commands() {
  return kCommands;
}

}  // namespace swarm::cli
