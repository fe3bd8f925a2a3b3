#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "cli/command.h"
#include "fixture.h"

// Every flag of every command does something: here a table with one use of each, next to the same
// command without it. A flag that is not in the table fails, and so does one that changes nothing.
namespace swarm::cli {
namespace {

struct Use {
  std::string_view command;
  std::string_view flag;
  std::string_view with;       // "" and "=" mean the flag alone
  std::string_view arguments;  // the rest of the command line, with and without the flag
};

constexpr std::string_view kWeb = "web";
constexpr std::string_view kDetached = "-d web";
constexpr std::string_view kImage = "-d web:1.0";

constexpr Use kUses[] = {
    {"swarm init", "--advertise-addr", "10.0.0.9", ""},
    {"swarm init", "--listen-addr", "10.0.0.9", ""},
    {"swarm init", "--availability", "drain", ""},
    {"swarm init", "--force-new-cluster", "", ""},
    {"swarm init", "--cert-expiry", "48h", ""},
    {"swarm init", "--cert-renewal-grace", "48h", ""},
    {"swarm init", "--force", "", ""},
    {"swarm join", "--token", "other-manager", "--token t 10.0.0.1"},
    {"swarm join", "--advertise-addr", "10.0.0.9", "--token t 10.0.0.1"},
    {"swarm join", "--listen-addr", "10.0.0.9", "--token t 10.0.0.1"},
    {"swarm join", "--availability", "drain", "--token t 10.0.0.1"},
    {"swarm join", "--force", "", "--token t 10.0.0.1"},
    {"swarm leave", "--force", "", ""},
    {"swarm join-token", "--rotate", "", "worker"},
    {"swarm join-token", "--quiet", "", "worker"},
    {"swarm inspect", "--format", "{{.ID}}", ""},
    {"swarm restore", "--advertise-addr", "10.0.0.9", "/root/file"},
    {"swarm restore", "--listen-addr", "10.0.0.9", "/root/file"},
    {"swarm restore", "--force", "", "/root/file"},

    {"node ls", "--format", "json", ""},
    {"node ls", "--quiet", "", ""},
    {"node ls", "--filter", "role=manager", ""},
    {"node ps", "--format", "json", ""},
    {"node ps", "--quiet", "", ""},
    {"node ps", "--filter", "desired-state=shutdown", ""},
    {"node ps", "--no-trunc", "", ""},
    {"node ps", "--no-resolve", "", ""},
    {"node inspect", "--format", "{{.ID}}", "self"},
    {"node inspect", "--pretty", "", "self"},
    {"node update", "--availability", "pause", "alpha"},
    {"node update", "--role", "manager", "node-9"},
    {"node update", "--label-add", "a=b", "alpha"},
    {"node update", "--label-rm", "zone", "node-10"},
    {"node rm", "--force", "", "node-10"},

    {"service create", "--detach", "", "web:1.0"},
    {"service create", "--quiet", "", "web:1.0"},
    {"service create", "--name", "other", kImage},
    {"service create", "--mode", "global", kImage},
    {"service update", "--detach", "", "--image web:2 web"},
    {"service update", "--quiet", "", "--image web:2 web"},
    {"service update", "--image", "web:9", kDetached},
    {"service update", "--args", "a b", kDetached},
    {"service update", "--force", "", kDetached},
    {"service update", "--rollback", "", kDetached},
    {"service rollback", "--detach", "", kWeb},
    {"service rollback", "--quiet", "", kWeb},
    {"service rollback", "--to", "1", kDetached},
    {"service scale", "--detach", "", "web=5"},
    {"service scale", "--quiet", "", "web=5"},
    {"service ls", "--format", "json", ""},
    {"service ls", "--quiet", "", ""},
    {"service ls", "--filter", "name=web", ""},
    {"service ls", "--no-trunc", "", ""},
    {"service ps", "--format", "json", kWeb},
    {"service ps", "--quiet", "", kWeb},
    {"service ps", "--filter", "node=alpha", kWeb},
    {"service ps", "--no-trunc", "", kWeb},
    {"service ps", "--no-resolve", "", kWeb},
    {"service inspect", "--format", "{{.ID}}", kWeb},
    {"service inspect", "--pretty", "", kWeb},
    {"service history", "--format", "json", kWeb},
    {"service history", "--quiet", "", kWeb},
};

// Of `service create` and `service update` alike.
constexpr std::pair<std::string_view, std::string_view> kSpecFlags[] = {
    {"--replicas", "7"},
    {"--replicas-max-per-node", "3"},
    {"--workdir", "/srv"},
    {"--user", "web"},
    {"--hostname", "h"},
    {"--stop-signal", "SIGINT"},
    {"--stop-grace-period", "3s"},
    {"--drain-timeout", "3s"},
    {"--read-only", ""},
    {"--init", ""},
    {"--entrypoint", "sh"},
    {"--health-cmd", "true"},
    {"--health-interval", "7s"},
    {"--health-timeout", "7s"},
    {"--health-start-period", "7s"},
    {"--health-retries", "7"},
    {"--no-healthcheck", ""},
    {"--limit-cpu", "0.5"},
    {"--limit-memory", "64m"},
    {"--limit-pids", "10"},
    {"--reserve-cpu", "0.5"},
    {"--reserve-memory", "64m"},
    {"--restart-condition", "none"},
    {"--restart-delay", "7s"},
    {"--restart-max-attempts", "7"},
    {"--restart-window", "7s"},
    {"--update-parallelism", "7"},
    {"--update-delay", "7s"},
    {"--update-monitor", "7s"},
    {"--update-failure-action", "continue"},
    {"--update-max-failure-ratio", "0.5"},
    {"--update-order", "stop-first"},
    {"--update-progress-deadline", "7s"},
    {"--update-min-ready", "7s"},
    {"--rollback-parallelism", "7"},
    {"--rollback-delay", "7s"},
    {"--rollback-monitor", "7s"},
    {"--rollback-failure-action", "continue"},
    {"--rollback-max-failure-ratio", "0.5"},
    {"--rollback-order", "stop-first"},
    {"--rollback-progress-deadline", "7s"},
    {"--rollback-min-ready", "7s"},
};

// NAME for create, NAME-add for update with the same value, and NAME-rm with the last one.
struct ListUse {
  std::string_view name;
  std::string_view added;
  std::string_view removed;  // what `web` of the fixture below has
};
constexpr ListUse kListFlags[] = {
    {"--label", "a=b", "team"},
    {"--container-label", "a=b", "tier"},
    {"--env", "NEW=1", "A"},
    {"--mount", "type=volume,source=v,target=/new", "/data"},
    {"--publish", "9090:90", "80"},
    {"--constraint", "node.labels.a==b", "node.role == worker"},
    {"--placement-pref", "spread=node.labels.rack", "spread=node.labels.zone"},
};

std::vector<Use> all_uses(std::vector<std::string>& names) {
  std::vector<Use> uses(std::begin(kUses), std::end(kUses));
  for (const auto& [flag, value] : kSpecFlags) {
    uses.push_back({"service create", flag, value, kImage});
    uses.push_back({"service update", flag, value, kDetached});
  }
  uses.push_back({"service create", "--env-file", "web.env", kImage});
  names.reserve(2 * std::size(kListFlags));
  for (const ListUse& list : kListFlags) {
    uses.push_back({"service create", list.name, list.added, kImage});
    names.push_back(std::string(list.name) + "-add");
    uses.push_back({"service update", names.back(), list.added, kDetached});
    names.push_back(std::string(list.name) + "-rm");
    uses.push_back({"service update", names.back(), list.removed, kDetached});
  }
  return uses;
}

// What the whole world saw of a command line.
struct Effect {
  RunResult result;
  std::vector<model::ServiceSpec> specs;
  std::vector<model::RevisionNumber> revisions;
  std::vector<model::NodeSpec> nodes;
  std::string requests;

  bool operator==(const Effect& other) const {
    return result.out == other.result.out && result.err == other.result.err &&
           result.exit_code == other.result.exit_code && specs == other.specs &&
           revisions == other.revisions && nodes == other.nodes && requests == other.requests;
  }
};

std::string requests_of(const FakeSwarm& swarm) {
  std::ostringstream text;
  const api::LocalNode::InitOptions& init = swarm.init_options;
  const api::LocalNode::JoinOptions& join = swarm.join_options;
  text << init.listen_address << '|' << init.advertise_address << '|' << init.force_new_cluster
       << '|' << model::to_string(init.availability) << '|' << init.certificate_validity.count()
       << '|' << join.token << '|' << join.listen_address << '|' << join.advertise_address << '|'
       << join.manager_address << '|' << model::to_string(join.availability) << '|' << init.force
       << '|' << init.certificate_grace.count() << '|' << join.force << '|'
       << swarm.rolled_back_to.value_or(0) << '|' << swarm.was_rotated;
  return text.str();
}

Effect effect_of(const std::string& command_line) {
  Fixture fixture;
  fill_with_sample(fixture.swarm);
  FakeSwarm& swarm = fixture.swarm;
  api::Client::ServiceSummary& web = swarm.service("web");
  web.service.previous_revision = 1;
  web.service.revision = 2;
  web.service.settings.replicas = 3;
  web.task.container.labels.edit()["tier"] = "front";
  web.task.container.mounts = {
      {.type = model::MountType::volume, .source = "data", .target = "/data"}};
  web.task.placement.edit().constraints = {"node.role==worker"};
  web.task.placement.edit().preferences = {"node.labels.zone"};
  fixture.files["web.env"] = "FROM_FILE=1\n";
  fixture.clock.interrupt_after = 1;
  Effect effect;
  effect.result = fixture.run(command_line);
  for (const api::Client::ServiceSummary& summary : swarm.services) {
    effect.specs.push_back(summary.spec());
    effect.revisions.push_back(summary.service.revision);
  }
  for (const api::Client::NodeView& view : swarm.nodes) {
    effect.nodes.push_back(view.node.spec);
  }
  effect.requests = requests_of(swarm);
  return effect;
}

// The long names in the help of a command, without those that every command has; what those do is
// in usage_test.cpp.
std::set<std::string> flags_in_help(const std::string& path) {
  std::set<std::string> flags;
  std::istringstream lines(Fixture().run(path + " --help").out);
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find("--");
    if (!line.starts_with("  -") || at == line.npos) {
      continue;
    }
    flags.insert(line.substr(at, line.find_first_of(" ", at) - at));
  }
  for (const char* common : {"--help", "--host", "--timeout"}) {
    EXPECT_EQ(flags.erase(common), 1u) << path << " " << common;
  }
  return flags;
}

TEST(Flags, EachHasAnEffect) {
  std::vector<std::string> names;
  for (const Use& use : all_uses(names)) {
    const std::string command(use.command);
    const std::string arguments = " " + std::string(use.arguments);
    const std::string value = use.with.empty() ? "" : " '" + std::string(use.with) + "'";
    const Effect without = effect_of(command + arguments);
    EXPECT_NE(without.result.exit_code, 125) << command << arguments << without.result.err;
    // Of a flag that is given twice the last one counts: it stands behind those it replaces.
    const std::string line = use.flag == "--token"
                                 ? command + " --token 'other-manager' 10.0.0.1"
                                 : command + " " + std::string(use.flag) + value + arguments;
    EXPECT_FALSE(effect_of(line) == without) << line;
  }
}

TEST(Flags, EachIsInTheTable) {
  std::vector<std::string> names;
  std::map<std::string, std::set<std::string>> known;
  for (const Use& use : all_uses(names)) {
    known[std::string(use.command)].insert(std::string(use.flag));
  }
  for (const CommandGroup& group : command_groups()) {
    for (const Command& command : group.commands) {
      const std::string path =
          (group.name.empty() ? "" : std::string(group.name) + " ") + std::string(command.name);
      EXPECT_EQ(flags_in_help(path), known[path]) << path;
    }
  }
}

}  // namespace
}  // namespace swarm::cli
