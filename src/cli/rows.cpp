#include "cli/rows.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "base/units.h"
#include "cli/listing.h"
#include "cli/table.h"

namespace swarm::cli {

namespace {

using api::Client;
using model::PublishedPort;

constexpr std::array kServiceFields = {Field{"ID", "ID"},       Field{"Name", "NAME"},
                                       Field{"Mode", "MODE"},   Field{"Replicas", "REPLICAS"},
                                       Field{"Image", "IMAGE"}, Field{"Ports", "PORTS"}};
constexpr std::array kTaskFields = {Field{"ID", "ID"},
                                    Field{"Name", "NAME"},
                                    Field{"Image", "IMAGE"},
                                    Field{"Node", "NODE"},
                                    Field{"DesiredState", "DESIRED STATE"},
                                    Field{"CurrentState", "CURRENT STATE"},
                                    Field{"Wait", "WAIT", true},
                                    Field{"Error", "ERROR", true},
                                    Field{"Ports", "PORTS"}};
constexpr std::array kNodeFields = {Field{"ID", "ID"},
                                    Field{"Mark", ""},
                                    Field{"Self", "SELF"},
                                    Field{"Hostname", "HOSTNAME"},
                                    Field{"Status", "STATUS"},
                                    Field{"Availability", "AVAILABILITY"},
                                    Field{"ManagerStatus", "MANAGER STATUS"},
                                    Field{"EngineVersion", "ENGINE VERSION"}};
constexpr std::array kRevisionFields = {Field{"Revision", "REVISION"}, Field{"Image", "IMAGE"},
                                        Field{"Created", "CREATED"}, Field{"Running", "RUNNING"},
                                        Field{"Status", "STATUS"}};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return text;
}

std::string ago(WallTime then, WallTime now) {
  return lower(format_age(std::max(now - then, Duration{}))) + " ago";
}

std::string replicas_text(const Client::ServiceSummary& summary) {
  std::string text = std::to_string(summary.running) + "/" + std::to_string(summary.desired);
  const uint64_t max_per_node = summary.task.placement->max_replicas_per_node;
  if (max_per_node > 0) {
    text += " (max " + std::to_string(max_per_node) + " per node)";
  }
  return text;
}

std::string wait_text(const Client::TaskView& view, WallTime now) {
  const std::string what = task_wait(view);
  const std::string time = what.empty() ? "" : time_waited(*view.wait, now);
  return time.empty() ? what : what + ": " + time;
}

std::string error_text(const Client::TaskView& view) {
  const std::string& error = view.task.status.error;
  const std::string& reason = error.empty() ? view.node_trouble : error;
  return reason.empty() ? "" : "\"" + reason + "\"";
}

std::string ports_of(const Client::ServiceSummary& summary) {
  std::string text = ports_text(summary.task.ports, model::PublishMode::ingress);
  std::set<model::NodeId> nodes;
  for (const Client::ClosedPort& closed : summary.closed_ports) {
    nodes.insert(closed.node);
  }
  if (nodes.empty()) {
    return text;
  }
  return text + (text.empty() ? "" : " ") + "(closed on " + std::to_string(nodes.size()) +
         (nodes.size() == 1 ? " node)" : " nodes)");
}

// "Ready (engine, ports)": what is wrong with the node; `node inspect` tells more.
std::string node_status(const model::NodeStatus& status) {
  std::string troubles;
  const auto add = [&troubles](std::string_view trouble) {
    troubles.append(troubles.empty() ? "" : ", ").append(trouble);
  };
  for (const model::NodeCondition& condition : status.conditions) {
    add(model::to_string(condition.kind));
  }
  if (!status.closed_ports.empty()) {
    add("ports");
  }
  const std::string state = capitalised(model::to_string(status.state));
  return troubles.empty() ? state : state + " (" + troubles + ")";
}

std::string task_row_name(const Client::TaskView& view, bool no_resolve) {
  const std::string& service =
      no_resolve || view.service_name.empty() ? view.task.service.value() : view.service_name;
  return service + "." + std::to_string(view.task.slot);
}

std::string manager_status(const Client::NodeView& view) {
  if (!view.node.manager) {
    return "";
  }
  if (view.is_leader) {
    return "Leader";
  }
  if (!view.node.description.manager_refusal.empty()) {
    return "Refused";
  }
  return view.is_reachable ? "Reachable" : "Unreachable";
}

// A run of ports, both sides growing by one.
struct PortRun {
  PublishedPort first;
  uint16_t last_published;
  uint16_t last_target;
};

std::string run_text(const PortRun& run) {
  const auto range = [](uint16_t first, uint16_t last) {
    return first == last ? std::to_string(first)
                         : std::to_string(first) + "-" + std::to_string(last);
  };
  return "*:" + range(run.first.published, run.last_published) + "->" +
         range(run.first.target, run.last_target) + "/" +
         std::string(model::to_string(run.first.protocol));
}

}  // namespace

std::string task_wait(const Client::TaskView& view) {
  return view.wait && view.wait->what != view.task.status.error ? view.wait->what : "";
}

std::string task_reason(const Client::TaskView& view) {
  const std::string& error = view.task.status.error;
  return error.empty() ? task_wait(view) : error;
}

std::string time_waited(const model::TaskWait& wait, WallTime now) {
  if (!is_set(wait.since)) {
    return "";
  }
  // The clock of this machine may be behind the swarm's.
  const Duration waited = std::max(std::chrono::floor<seconds>(now - wait.since), seconds(0));
  return format_duration(waited) +
         (wait.limit > Duration{} ? " of " + format_duration(wait.limit) : "");
}

std::string current_state(const model::TaskStatus& status, WallTime now) {
  const std::string state = capitalised(model::to_string(status.state));
  return is_set(status.at) ? state + " " + ago(status.at, now) : state;
}

std::string image_without_digest(const std::string& image) {
  const size_t digest = image.find('@');
  if (digest == image.npos) {
    return image;
  }
  const std::string name = image.substr(0, digest);
  const size_t colon = name.rfind(':');
  const size_t slash = name.rfind('/');
  const bool has_tag = colon != name.npos && (slash == name.npos || colon > slash);
  return has_tag ? name : image;
}

std::string ports_text(std::vector<PublishedPort> ports, model::PublishMode mode) {
  std::erase_if(ports, [mode](const PublishedPort& port) { return port.mode != mode; });
  std::sort(ports.begin(), ports.end(), [](const PublishedPort& a, const PublishedPort& b) {
    return std::tuple(a.protocol, a.published, a.target) <
           std::tuple(b.protocol, b.published, b.target);
  });
  std::vector<PortRun> runs;
  for (const PublishedPort& port : ports) {
    if (!runs.empty() && runs.back().first.protocol == port.protocol &&
        runs.back().last_published + 1 == port.published &&
        runs.back().last_target + 1 == port.target) {
      ++runs.back().last_published;
      ++runs.back().last_target;
    } else {
      runs.push_back({port, port.published, port.target});
    }
  }
  std::string text;
  for (const PortRun& run : runs) {
    text += (text.empty() ? "" : ", ") + run_text(run);
  }
  return text;
}

void sort_tasks(std::vector<Client::TaskView>& tasks) {
  std::stable_sort(
      tasks.begin(), tasks.end(), [](const Client::TaskView& a, const Client::TaskView& b) {
        if (a.task.service != b.task.service) {
          return a.service_name != b.service_name ? natural_less(a.service_name, b.service_name)
                                                  : a.task.service < b.task.service;
        }
        if (a.task.slot != b.task.slot) {
          return a.task.slot < b.task.slot;
        }
        return a.task.meta.created_at > b.task.meta.created_at;
      });
}

Listing service_listing(std::vector<Client::ServiceSummary> services, bool no_trunc) {
  std::stable_sort(services.begin(), services.end(), [](const auto& a, const auto& b) {
    return natural_less(a.service.settings.name, b.service.settings.name);
  });
  Listing listing{.fields = kServiceFields, .rows = {}};
  for (const Client::ServiceSummary& summary : services) {
    const model::Service& service = summary.service;
    listing.rows.push_back({no_trunc ? service.id.value() : short_id(service.id.value()),
                            service.settings.name, "replicated", replicas_text(summary),
                            image_without_digest(summary.task.container.image), ports_of(summary)});
  }
  return listing;
}

Listing task_listing(std::vector<Client::TaskView> tasks, WallTime now, TaskRowStyle style) {
  sort_tasks(tasks);
  Listing listing{.fields = kTaskFields, .rows = {}};
  std::string previous;
  for (const Client::TaskView& view : tasks) {
    const model::Task& task = view.task;
    std::string name = task_row_name(view, style.no_resolve);
    const bool is_older = std::exchange(previous, name) == name;
    if (is_older && style.marks_older) {
      name = " \\_ " + name;
    }
    const bool has_hostname = !style.no_resolve && !view.node_hostname.empty();
    listing.rows.push_back(
        {style.no_trunc ? task.id.value() : short_id(task.id.value()), std::move(name),
         image_without_digest(view.image), has_hostname ? view.node_hostname : task.node.value(),
         capitalised(model::to_string(task.desired)), current_state(task.status, now),
         wait_text(view, now), error_text(view), ports_text(view.ports, model::PublishMode::host)});
  }
  return listing;
}

Listing node_listing(std::vector<Client::NodeView> nodes) {
  std::stable_sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) {
    return natural_less(a.node.description.hostname, b.node.description.hostname);
  });
  Listing listing{.fields = kNodeFields, .rows = {}};
  for (const Client::NodeView& view : nodes) {
    const model::Node& node = view.node;
    listing.rows.push_back({node.id.value(), view.is_self ? " *" : "",
                            view.is_self ? "true" : "false", node.description.hostname,
                            node_status(node.status),
                            capitalised(model::to_string(node.spec.availability)),
                            manager_status(view), node.description.engine_version});
  }
  return listing;
}

Listing revision_listing(const std::vector<Client::RevisionView>& revisions, WallTime now) {
  Listing listing{.fields = kRevisionFields, .rows = {}};
  for (const Client::RevisionView& view : revisions) {
    const model::Revision& revision = view.revision;
    const std::string status = view.is_current ? "current" : view.is_previous ? "previous" : "";
    listing.rows.push_back(
        {std::to_string(revision.number), image_without_digest(revision.task.container.image),
         is_set(revision.meta.created_at) ? ago(revision.meta.created_at, now) : "",
         std::to_string(view.running), status});
  }
  return listing;
}

}  // namespace swarm::cli
