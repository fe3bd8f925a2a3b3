#include "cli/not_supported.h"

#include <algorithm>
#include <numeric>

namespace swarm::cli {

namespace {

struct Lacking {
  std::string_view paths;  // "service create|service update"
  std::string_view names;  // "--network|--network-add"
  std::string_view cure;
};

constexpr std::string_view kServices = "service create|service update";

constexpr std::string_view kNetworks =
    "services reach one another through published ports (--publish)";
constexpr std::string_view kFiles =
    "use --mount with a file of the node, or --env, for what tasks need to read";
constexpr std::string_view kEngineDefaults =
    "set it in the image, or as a default of the node's engine";

constexpr Lacking kFlags[] = {
    {kServices, "--network|--network-add|--network-rm", kNetworks},
    {kServices, "--endpoint-mode", "clients use published ports (--publish)"},
    {kServices, "--secret|--secret-add|--secret-rm|--config|--config-add|--config-rm", kFiles},
    {kServices, "--max-concurrent", "jobs do not exist yet: use --replicas"},
    {kServices, "--generic-resource|--generic-resource-add|--generic-resource-rm",
     "label the nodes that have it (node update --label-add) and use --constraint"},
    {kServices, "--group|--group-add|--group-rm", "use --user USER:GROUP"},
    {kServices, "--isolation|--credential-spec", "it is for Windows containers"},
    {kServices,
     "--cap-add|--cap-drop|--sysctl|--sysctl-add|--sysctl-rm|--ulimit|--ulimit-add|--ulimit-rm|"
     "--oom-score-adj|--memory-swap|--memory-swappiness",
     kEngineDefaults},
    {kServices, "--tty|-t", "tasks run without a terminal"},
    {kServices,
     "--dns|--dns-add|--dns-rm|--dns-option|--dns-option-add|--dns-option-rm|--dns-search|"
     "--dns-search-add|--dns-search-rm|--log-driver|--log-opt",
     kEngineDefaults},
    {kServices, "--host-add|--host-rm", "mount an /etc/hosts of your own with --mount"},
    {kServices, "--health-start-interval",
     "checks are frequent until the first success by default"},
    {kServices, "--with-registry-auth",
     "load the image on the nodes beforehand, or use a registry that asks for no login"},
    {kServices, "--no-resolve-image|--resolve-image",
     "images are never resolved: leave it out, and name IMAGE@sha256:DIGEST to pin one"},
    {"swarm init", "--data-path-addr|--data-path-port",
     "tasks are reached over the mesh: see `swarmd --mesh-port`"},
    {"swarm join", "--data-path-addr", "tasks are reached over the mesh: see `swarmd --mesh-port`"},
    {"swarm init", "--default-addr-pool|--default-addr-pool-mask-length",
     "there are no networks yet"},
    {"swarm init", "--autolock",
     "protect the state folder with the permissions or encryption of its disk"},
    {"swarm init", "--dispatcher-heartbeat", "it follows from the number of nodes"},
    {"swarm init", "--external-ca", "the swarm has a certificate authority of its own"},
    {"swarm init", "--max-snapshots|--snapshot-interval",
     "snapshots follow from the size of the log"},
    {"swarm init", "--task-history-limit", "five tasks a slot are kept"},
};

constexpr Lacking kCommands[] = {
    {"service logs", "", "use `docker logs` on the node that `service ps` shows"},
    {"swarm update", "", "give settings to `swarm init`"},
    {"swarm unlock|swarm unlock-key", "",
     "protect the state folder with the permissions or encryption of its disk"},
    {"swarm ca", "", "`swarm inspect` shows the authority"},
    {"stack", "", "create its services with `service create`"},
    {"secret|config", "", kFiles},
    {"network", "", kNetworks},
    {"volume", "", "--mount type=volume makes volumes where tasks run"},
    {"logs", "", "use `docker logs` on the node that `service ps` shows"},
    {"info|system", "", "use `version`, `swarm inspect` and `node inspect self`"},
};

bool is_one_of(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t end = std::min(list.find('|'), list.size());
    if (list.substr(0, end) == word) {
      return true;
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::string sentence(std::string_view name, std::string_view cure) {
  return std::string(name) + " is not supported yet: " + std::string(cure);
}

// Insertions, removals, replacements and swaps of neighbours (Damerau-Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t k = 1; k <= b.size(); ++k) {
      const size_t replaced = last[k - 1] + (a[i - 1] == b[k - 1] ? 0 : 1);
      row[k] = std::min({last[k] + 1, row[k - 1] + 1, replaced});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
        row[k] = std::min(row[k], before_last[k - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string not_supported_flag(std::string_view path, std::string_view flag) {
  for (const Lacking& lacking : kFlags) {
    if (is_one_of(lacking.paths, path) && is_one_of(lacking.names, flag)) {
      return sentence(flag, lacking.cure);
    }
  }
  return "";
}

std::string not_supported_command(std::string_view path) {
  for (const Lacking& lacking : kCommands) {
    if (is_one_of(lacking.paths, path)) {
      return sentence(path, lacking.cure);
    }
  }
  return "";
}

std::string nearest_word(std::string_view typed, const std::vector<std::string>& known) {
  const auto is_known = [&known](const std::string& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  const std::string word(typed);
  const size_t dash = word.rfind('-');
  if (is_known(word + "-add")) {
    return word + "-add";
  }
  if ((word.ends_with("-add") || word.ends_with("-rm")) && is_known(word.substr(0, dash))) {
    return word.substr(0, dash);
  }
  // A third of a word may be wrong, but no more than three characters of it.
  const size_t bound = std::min<size_t>(3, typed.size() / 3);
  std::string nearest;
  size_t least = bound + 1;
  for (const std::string& candidate : known) {
    if (const size_t away = distance(typed, candidate); away < least) {
      least = away;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace swarm::cli
