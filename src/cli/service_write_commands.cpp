#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "cli/flags.h"
#include "cli/service_commands.h"
#include "cli/session.h"
#include "cli/spec_flags.h"
#include "cli/spec_text.h"
#include "cli/wait.h"
#include "model/validate.h"

namespace swarm::cli {

namespace {

using api::Client;
using model::ServiceSpec;

struct WaitFlags {
  bool is_detached = false;
  bool is_quiet = false;
};

void add_wait_flags(CLI::App& app, WaitFlags& flags) {
  add_switch(app, "-d,--detach", "Do not wait until the service has converged", flags.is_detached);
  add_switch(app, "-q,--quiet", "Do not show progress", flags.is_quiet);
}

int wait_unless_detached(Session& session, const model::ServiceId& service, const WaitFlags& flags,
                         const Convergence::Command& command) {
  if (flags.is_detached) {
    return exit_code::kOk;
  }
  return wait_for_convergence(session, service.value(),
                              {.command = command, .is_quiet = flags.is_quiet});
}

std::optional<WallTime> rollout_start(const model::Service& service) {
  return service.rollout ? std::optional(service.rollout->started_at) : std::nullopt;
}

struct CreateOptions {
  ServiceSpec spec;
  SpecEdits edits;
  WaitFlags wait;
};

int create_service(Session& session, CreateOptions& options, std::vector<std::string> words) {
  ServiceSpec& spec = options.spec;
  spec.task.container.image = words.front();
  spec.task.container.args.assign(words.begin() + 1, words.end());
  if (const Status status = options.edits.apply(spec); !status.ok()) {
    return session.fail(status);
  }
  const Result<model::ServiceId> service = session.client().create_service(spec);
  if (!service.ok()) {
    return session.fail(service.status());
  }
  session.print(service->value());
  return wait_unless_detached(session, *service, options.wait,
                              {.what = WaitFor::create, .earlier_rollout = {}, .revision = 1});
}

struct UpdateOptions {
  std::string service;
  SpecEdits edits;
  WaitFlags wait;
  bool is_rollback = false;
};

int roll_back(Session& session, const std::string& reference, const WaitFlags& wait,
              std::optional<model::RevisionNumber> to) {
  // Read first: the rollout that is stored now is not the one to wait for.
  const Result<Client::ServiceSummary> before = session.client().get_service(reference);
  if (!before.ok()) {
    return session.fail(before.status());
  }
  const Result<model::RevisionNumber> revision = session.client().rollback_service(reference, to);
  if (!revision.ok()) {
    return session.fail(revision.status());
  }
  session.print(reference);
  return wait_unless_detached(session, before->service.id, wait,
                              {.what = WaitFor::rollback,
                               .earlier_rollout = rollout_start(before->service),
                               .revision = *revision});
}

Result<ServiceSpec> edited(const ServiceSpec& before, const SpecEdits& edits) {
  ServiceSpec spec = before;
  SWARM_RETURN_IF_ERROR(edits.apply(spec));
  const model::TaskTemplate& old = before.task;
  keep_order_if_same(old.container.env, spec.task.container.env);
  keep_order_if_same(old.container.mounts, spec.task.container.mounts);
  if (spec.task.placement) {
    keep_order_if_same(old.placement->constraints, spec.task.placement.edit().constraints);
  }
  keep_order_if_same(old.ports, spec.task.ports);
  return spec;
}

int update_service(Session& session, const UpdateOptions& options) {
  if (options.is_rollback) {
    return roll_back(session, options.service, options.wait, std::nullopt);
  }
  Client::ServiceSummary before;
  model::RevisionNumber revision = 0;
  const Status status = Session::until_in_sequence([&]() -> Status {
    SWARM_ASSIGN_OR_RETURN(before, session.client().get_service(options.service));
    SWARM_ASSIGN_OR_RETURN(const ServiceSpec spec, edited(before.spec(), options.edits));
    SWARM_ASSIGN_OR_RETURN(revision, session.client().update_service(
                                         before.service.id, before.service.meta.version, spec));
    return absl::OkStatus();
  });
  if (!status.ok()) {
    return session.fail(status);
  }
  const model::Service& service = before.service;
  session.print(options.service);
  return wait_unless_detached(
      session, service.id, options.wait,
      {.what = WaitFor::update, .earlier_rollout = rollout_start(service), .revision = revision});
}

void check_rollback_is_alone(const CLI::App& app) {
  for (const std::string& name : flags_given(app)) {
    if (name != "--rollback" && name != "--detach" && name != "--quiet" && name != "--host" &&
        name != "--timeout") {
      throw_usage_error("--rollback", "cannot be used together with " + name +
                                          ": it restores the previous revision as it was");
    }
  }
}

void add_update_only_flags(CLI::App& app, SpecEdits& edits) {
  add_text(app, "--image", "IMAGE", "Image to run", [&edits](const std::string& image) {
    edits.add([image](ServiceSpec& spec) {
      spec.task.container.image = image;
      return absl::OkStatus();
    });
  });
  add_value<std::vector<std::string>>(app, "--args", "COMMAND",
                                      "Arguments of the container; empty: the image's",
                                      &split_shell_words, [&edits](std::vector<std::string> words) {
                                        edits.add([words = std::move(words)](ServiceSpec& spec) {
                                          spec.task.container.args = words;
                                          return absl::OkStatus();
                                        });
                                      });
  add_switch(app, "--force", "Replace all tasks although nothing else changes",
             [&edits](bool is_set) {
               edits.add([is_set](ServiceSpec& spec) {
                 spec.task.force_update += is_set ? 1 : 0;
                 return absl::OkStatus();
               });
             });
}

struct ScaleTarget {
  std::string service;
  uint64_t replicas = 0;
};

Result<ScaleTarget> parse_scale(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) {
    return absl::InvalidArgumentError("invalid scale specifier '" + text +
                                      "': write SERVICE=REPLICAS");
  }
  SWARM_ASSIGN_OR_RETURN(
      const int64_t replicas,
      parse_integer(std::string_view(text).substr(equals + 1), 0,
                    static_cast<int64_t>(model::kMaxReplicas), "replicas value"));
  return ScaleTarget{text.substr(0, equals), static_cast<uint64_t>(replicas)};
}

int scale_services(Session& session, const std::vector<std::string>& texts, const WaitFlags& wait) {
  std::vector<ScaleTarget> targets;
  for (const std::string& text : texts) {
    Result<ScaleTarget> target = parse_scale(text);
    if (!target.ok()) {
      return session.fail(target.status());
    }
    targets.push_back(*std::move(target));
  }
  int code = exit_code::kOk;
  std::vector<std::string> scaled;
  for (const ScaleTarget& target : targets) {
    const Status status = session.client().scale_service(target.service, target.replicas);
    if (!status.ok()) {
      code = session.fail(status);
      continue;
    }
    session.print(target.service + " scaled to " + std::to_string(target.replicas));
    scaled.push_back(target.service);
  }
  for (const std::string& service : scaled) {
    const int one = wait_unless_detached(session, model::ServiceId(service), wait,
                                         {.what = WaitFor::scale, .earlier_rollout = {}});
    code = code == exit_code::kOk ? one : code;
  }
  return code;
}

}  // namespace

Action define_service_create(CLI::App& app, Environment& environment) {
  auto options = std::make_shared<CreateOptions>();
  add_wait_flags(app, options->wait);
  add_text(app, "--name", "NAME", "Name of the service", options->spec.name);
  add_text(app, "--mode", "MODE", "Only replicated services are supported",
           [](const std::string& mode) {
             if (mode != "replicated") {
               throw_usage_error("--mode", "\"" + mode +
                                               "\" is not supported: use replicated (with "
                                               "--replicas and --replicas-max-per-node)");
             }
           });
  add_spec_flags(app, options->edits, SpecCommand::create);
  add_create_list_flags(app, options->edits, environment);
  return [options, &app](Session& session) {
    return create_service(session, *options, words_after_flags(app));
  };
}

Action define_service_update(CLI::App& app, Environment& environment) {
  auto options = std::make_shared<UpdateOptions>();
  add_wait_flags(app, options->wait);
  add_update_only_flags(app, options->edits);
  add_switch(app, "--rollback", "Return to the previous revision", [&app, options](bool is_set) {
    options->is_rollback = is_set;
    if (is_set) {
      check_rollback_is_alone(app);
    }
  });
  add_spec_flags(app, options->edits, SpecCommand::update);
  add_update_list_flags(app, options->edits, environment);
  add_argument(app, "SERVICE", true, options->service);
  return [options](Session& session) { return update_service(session, *options); };
}

Action define_service_rollback(CLI::App& app, Environment&) {
  struct Options {
    std::string service;
    WaitFlags wait;
    std::optional<model::RevisionNumber> to;
  };
  auto options = std::make_shared<Options>();
  add_wait_flags(app, options->wait);
  add_value<int64_t>(
      app, "--to", "REVISION", "Any revision of `service history` (default: the previous one)",
      [](std::string_view text) { return parse_integer(text, 1, INT64_MAX, "revision"); },
      [options](int64_t number) { options->to = static_cast<model::RevisionNumber>(number); });
  add_argument(app, "SERVICE", true, options->service);
  return [options](Session& session) {
    return roll_back(session, options->service, options->wait, options->to);
  };
}

Action define_service_scale(CLI::App& app, Environment&) {
  struct Options {
    std::vector<std::string> targets;
    WaitFlags wait;
  };
  auto options = std::make_shared<Options>();
  add_wait_flags(app, options->wait);
  add_arguments(app, "SERVICE=REPLICAS", true, options->targets);
  return [options](Session& session) {
    return scale_services(session, options->targets, options->wait);
  };
}

Action define_service_rm(CLI::App& app, Environment&) {
  auto services = std::make_shared<std::vector<std::string>>();
  add_arguments(app, "SERVICE", true, *services);
  return [services](Session& session) {
    int code = exit_code::kOk;
    for (const std::string& reference : *services) {
      const Status removed = session.client().remove_service(reference);
      if (removed.ok()) {
        session.print(reference);
      } else {
        code = session.fail(removed);
      }
    }
    return code;
  };
}

}  // namespace swarm::cli
