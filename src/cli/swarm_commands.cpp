#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/flags.h"
#include "cli/inspect.h"
#include "cli/session.h"
#include "platform/absolute_path.h"

// swarm init | join | leave | join-token | inspect | backup | restore
namespace swarm::cli {

namespace {

template <class Options>
void add_address_flags(CLI::App& app, Options& options) {
  add_text(app, "--advertise-addr", "HOST|INTERFACE[:PORT]",
           "Address other nodes reach this one at", options.advertise_address);
  add_text(app, "--listen-addr", "HOST|INTERFACE[:PORT]",
           "Where to listen (default: all addresses, the advertised port)", options.listen_address);
  add_switch(app, "--force",
             "Advertise an address or port this machine does not have, as behind NAT",
             options.force);
  add_choice<model::Availability>(
      app, "--availability", "active|pause|drain", "Whether the node takes tasks (default active)",
      &model::parse_availability,
      [&options](model::Availability value) { options.availability = value; });
}

void print_join_command(Session& session, const std::string& token, const std::string& address) {
  session.print("    swarmctl swarm join --token " + token + " " + address);
  session.print("");
}

void print_how_to_join(Session& session, const api::LocalNode::Initialized& made) {
  session.print("");
  session.print("To add a worker to this swarm, run the following command:");
  session.print("");
  print_join_command(session, made.worker_token, made.advertise_address);
  session.print(
      "To add a manager to this swarm, run 'swarmctl swarm join-token manager' and follow the "
      "instructions.");
}

Action define_init(CLI::App& app, Environment&) {
  auto options = std::make_shared<api::LocalNode::InitOptions>();
  add_address_flags(app, *options);
  add_switch(app, "--force-new-cluster",
             "On a manager whose swarm lost its quorum for good: go on as its only manager, with "
             "all services, tasks and workers",
             [&app, options](bool is_set) {
               options->force_new_cluster = is_set;
               for (const std::string& name : flags_given(app)) {
                 if (is_set && (name == "--availability" || name == "--cert-expiry")) {
                   throw_usage_error("--force-new-cluster",
                                     "cannot be used together with " + name +
                                         ": the swarm goes on with the settings it has");
                 }
               }
             });
  add_value<Duration>(app, "--cert-expiry", "DURATION",
                      "How long the certificates of nodes are valid (default 2160h0m0s)",
                      &parse_positive_duration,
                      [options](Duration value) { options->certificate_validity = value; });
  add_value<Duration>(app, "--cert-renewal-grace", "DURATION",
                      "How long after its certificate expired a node may still renew it with its "
                      "key (default 720h0m0s)",
                      &parse_positive_duration,
                      [options](Duration value) { options->certificate_grace = value; });
  return [options](Session& session) {
    const auto made = session.client().init(*options);
    if (!made.ok()) {
      return session.fail(made.status());
    }
    session.print(
        options->force_new_cluster
            ? "Swarm recovered: current node (" + made->node.value() + ") is now its only manager."
            : "Swarm initialized: current node (" + made->node.value() + ") is now a manager.");
    print_how_to_join(session, *made);
    return exit_code::kOk;
  };
}

// The file is read or written by swarmd, which has another working directory, and neither our
// standard output nor our standard input.
Result<std::string> on_this_machine(const std::string& file) {
  if (file.empty() || file == "-") {
    return absl::InvalidArgumentError("\"" + file +
                                      "\" is not a path: name a file of this machine" +
                                      (file.empty() ? "" : ", or write ./- for one of that name"));
  }
  SWARM_ASSIGN_OR_RETURN(const std::filesystem::path path, platform::absolute_path(file));
  return path.lexically_normal().string();
}

Action define_backup(CLI::App& app, Environment&) {
  auto file = std::make_shared<std::string>();
  add_argument(app, "FILE", true, *file);
  return [file](Session& session) {
    const Result<std::string> path = on_this_machine(*file);
    if (!path.ok()) {
      return session.fail(path.status());
    }
    const auto made = session.client().backup(*path);
    if (!made.ok()) {
      return session.fail(made.status());
    }
    session.print("Swarm " + made->swarm.value() + " saved to " + *file + " (" +
                  std::to_string(made->bytes) + " bytes, state " + std::to_string(made->position) +
                  ").");
    session.print(
        "Keep it like a private key: it holds the swarm's certificate authority and join tokens.");
    return exit_code::kOk;
  };
}

Action define_restore(CLI::App& app, Environment&) {
  auto options = std::make_shared<api::LocalNode::RestoreOptions>();
  add_text(app, "--advertise-addr", "HOST|INTERFACE[:PORT]",
           "Address other nodes reach this one at; one that workers know is found by them",
           options->advertise_address);
  add_text(app, "--listen-addr", "HOST|INTERFACE[:PORT]",
           "Where to listen (default: all addresses, the advertised port)",
           options->listen_address);
  add_switch(app, "--force",
             "Advertise an address or port this machine does not have, as behind NAT",
             options->force);
  add_argument(app, "FILE", true, options->file);
  return [options](Session& session) {
    const std::string given = options->file;
    const Result<std::string> path = on_this_machine(given);
    if (!path.ok()) {
      return session.fail(path.status());
    }
    options->file = *path;
    const auto made = session.client().restore(*options);
    if (!made.ok()) {
      return session.fail(made.status());
    }
    session.print("Swarm restored from " + given + ": current node (" + made->node.value() +
                  ") is now its only manager.");
    print_how_to_join(session, *made);
    return exit_code::kOk;
  };
}

Action define_join(CLI::App& app, Environment&) {
  auto options = std::make_shared<api::LocalNode::JoinOptions>();
  add_text(app, "--token", "TOKEN", "Join token, from 'swarmctl swarm join-token'", options->token);
  add_address_flags(app, *options);
  add_argument(app, "HOST", true, options->manager_address);
  return [options](Session& session) {
    if (options->token.empty()) {
      return session.fail(absl::InvalidArgumentError(
          "--token is missing: run 'swarmctl swarm join-token worker' on a manager to see it"));
    }
    const Result<model::Role> role = session.client().join(*options);
    if (!role.ok()) {
      return session.fail(role.status());
    }
    session.print("This node joined a swarm as a " + std::string(model::to_string(*role)) + ".");
    return exit_code::kOk;
  };
}

Action define_leave(CLI::App& app, Environment&) {
  auto force = std::make_shared<bool>(false);
  add_switch(app, "-f,--force", "Leave although this node is a manager", *force);
  return [force](Session& session) {
    const Status left = session.client(kLeaveDeadline).leave(*force);
    if (!left.ok()) {
      return session.fail(left);
    }
    session.print("Node left the swarm.");
    return exit_code::kOk;
  };
}

struct JoinTokenOptions {
  std::string role;
  bool rotate = false;
  bool is_quiet = false;
};

int print_join_token(Session& session, const JoinTokenOptions& options) {
  const std::optional<model::Role> role = model::parse_role(options.role);
  if (!role) {
    return session.fail(
        absl::InvalidArgumentError("unknown role \"" + options.role + "\": use worker or manager"));
  }
  const auto token = session.client().join_token(*role, options.rotate);
  if (!token.ok()) {
    return session.fail(token.status());
  }
  if (options.is_quiet) {
    session.print(token->token);
    return exit_code::kOk;
  }
  if (options.rotate) {
    session.print("Successfully rotated " + options.role + " join token.");
    session.print("");
  }
  session.print("To add a " + options.role + " to this swarm, run the following command:");
  session.print("");
  print_join_command(session, token->token, token->manager_address);
  return exit_code::kOk;
}

Action define_join_token(CLI::App& app, Environment&) {
  auto options = std::make_shared<JoinTokenOptions>();
  add_switch(app, "--rotate", "Replace the token; the old one no longer works", options->rotate);
  add_switch(app, "-q,--quiet", "Print the token only", options->is_quiet);
  add_argument(app, "ROLE", true, options->role);
  return [options](Session& session) { return print_join_token(session, *options); };
}

Action define_inspect(CLI::App& app, Environment&) {
  auto format = std::make_shared<std::string>();
  add_text(app, "-f,--format", "FORMAT", "json, or text with fields like {{.ID}}", *format);
  return [format](Session& session) {
    const auto view = session.client().inspect_swarm();
    if (!view.ok()) {
      return session.fail(view.status());
    }
    const Result<std::string> text = swarm_as_json(*view, *format);
    if (!text.ok()) {
      return session.fail(text.status());
    }
    session.environment().terminal.out.write(*text);
    return exit_code::kOk;
  };
}

constexpr std::array kCommands = {
    Command{"init", "", "[OPTIONS]", "Make this node the first manager of a new swarm",
            "swarmctl swarm init --advertise-addr 10.0.0.5\n"
            "swarmctl swarm init --force-new-cluster",
            &define_init},
    Command{"join", "", "[OPTIONS] HOST[:PORT]", "Join a swarm as a worker or a manager",
            "swarmctl swarm join --token SWMTKN-1-... 10.0.0.5:2377", &define_join},
    Command{"leave", "", "[OPTIONS]", "Leave the swarm", "swarmctl swarm leave --force",
            &define_leave},
    Command{"join-token", "", "[OPTIONS] worker|manager", "Show or rotate a join token",
            "swarmctl swarm join-token worker\nswarmctl swarm join-token --rotate manager",
            &define_join_token},
    Command{"inspect", "", "[OPTIONS]", "Show the swarm's settings",
            "swarmctl swarm inspect --format '{{.ID}}'", &define_inspect},
    Command{"backup", "", "FILE", "Save the whole swarm, on a manager, to a file of this machine",
            "swarmctl swarm backup /root/swarm.backup", &define_backup},
    Command{"restore", "", "[OPTIONS] FILE",
            "Bring a saved swarm back with this node as its only manager",
            "swarmctl swarm restore --advertise-addr 10.0.0.5 /root/swarm.backup", &define_restore},
};

}  // namespace

std::span<const Command> swarm_commands() {
  return kCommands;
}

}  // namespace swarm::cli
