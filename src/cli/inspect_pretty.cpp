#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "cli/escape.h"
#include "cli/inspect.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "model/update_order.h"

namespace swarm::cli {

namespace {

// "Label:   value" lines in groups; empty values and empty groups are left out.
class Page {
 public:
  void line(std::string_view label, std::string_view value) {
    if (value.empty()) {
      return;
    }
    std::string text(indent_, ' ');
    text += std::string(label) + ":";
    text.append(text.size() < kValueColumn ? kValueColumn - text.size() : 1, ' ');
    text_ += text + on_one_line(value) + "\n";
  }
  void line(std::string_view label, uint64_t value) { line(label, std::to_string(value)); }

  template <class Fill>
  void group(std::string_view label, Fill fill) {
    const std::string before = text_ + std::string(indent_, ' ') + std::string(label) + ":\n";
    std::string outer = std::exchange(text_, "");
    ++indent_;
    fill();
    --indent_;
    text_ = text_.empty() ? std::move(outer) : before + text_;
  }

  void labels(const model::Labels& labels) {
    group("Labels", [&] {
      for (const auto& [key, value] : labels) {
        text_ += std::string(indent_, ' ') + key + "=" + on_one_line(value) + "\n";
      }
    });
  }

  std::string take() { return std::move(text_); }

 private:
  static constexpr size_t kValueColumn = 26;
  size_t indent_ = 0;
  std::string text_;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

std::string ago(WallTime then, WallTime now) {
  return is_set(then) ? format_age(std::max(now - then, Duration{})) + " ago" : "";
}

std::string number_text(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) {
    text.pop_back();
  }
  return text;
}

void put_rollout(Page& page, const model::Rollout& rollout, WallTime now) {
  page.group("UpdateStatus", [&] {
    page.line("State", model::to_string(rollout.state));
    page.line("Started", ago(rollout.started_at, now));
    page.line("Completed", ago(rollout.completed_at, now));
    page.line("Message", rollout.message);
  });
}

void put_policy(Page& page, std::string_view label, const model::UpdatePolicy& policy,
                const model::TaskTemplate& task) {
  page.group(label, [&] {
    page.line("Parallelism", policy.parallelism);
    page.line("Delay", policy.delay == Duration{} ? "" : format_duration(policy.delay));
    page.line("On failure", model::to_string(policy.failure_action));
    page.line("Monitoring Period", format_duration(policy.monitor));
    page.line("Min ready", format_duration(policy.min_ready));
    page.line("Max failure ratio", number_text(policy.max_failure_ratio));
    page.line("Update order", std::string(model::to_string(model::effective_order(policy, task))) +
                                  " (" + model::order_reason(policy, task) + ")");
    page.line("Progress deadline", format_duration(policy.progress_deadline));
  });
}

void put_container(Page& page, const model::ContainerSpec& container) {
  page.group("ContainerSpec", [&] {
    page.line("Image", container.image);
    page.line("Entrypoint", joined(container.overrides->entrypoint));
    page.line("Args", joined(container.args));
    page.line("Env", joined(container.env));
    page.line("Dir", container.overrides->workdir);
    page.line("User", container.overrides->user);
    page.line("Init", container.init ? "true" : "false");
  });
  page.group("Mounts", [&] {
    for (const model::Mount& mount : container.mounts) {
      page.line("Target", mount.target);
      page.line(" Source", mount.source);
      page.line(" ReadOnly", mount.read_only ? "true" : "false");
      page.line(" Type", model::to_string(mount.type));
    }
  });
}

void put_resources(Page& page, const model::Resources& resources) {
  page.line("CPU", resources.nano_cpus == 0 ? "" : format_nano_cpus(resources.nano_cpus));
  page.line("Memory", resources.memory_bytes == 0 ? "" : format_bytes(resources.memory_bytes));
}

void put_template(Page& page, const model::TaskTemplate& task) {
  page.group("Placement", [&] {
    page.line("Constraints", joined(task.placement->constraints));
    page.line("Preferences", joined(task.placement->preferences));
    if (task.placement->max_replicas_per_node > 0) {
      page.line("Max Replicas Per Node", task.placement->max_replicas_per_node);
    }
  });
  put_container(page, task.container);
  page.group("Resources", [&] {
    page.group("Reservations", [&] { put_resources(page, task.resources->reservations); });
    page.group("Limits", [&] { put_resources(page, task.resources->limits); });
  });
  page.group("Ports", [&] {
    for (const model::PublishedPort& port : task.ports) {
      page.line("PublishedPort", port.published);
      page.line(" Protocol", model::to_string(port.protocol));
      page.line(" TargetPort", port.target);
      page.line(" PublishMode", model::to_string(port.mode));
    }
  });
  if (task.container.health) {
    page.group("Healthcheck", [&] {
      page.line("Test", joined(task.container.health->test));
      page.line("Interval", format_duration(task.container.health->interval));
    });
  }
}

}  // namespace

std::string service_page(const api::Client::ServiceSummary& summary, WallTime now) {
  const model::Service& service = summary.service;
  Page page;
  page.line("ID", service.id.value());
  page.line("Name", service.settings.name);
  page.labels(service.settings.labels);
  page.line("Service Mode", "Replicated");
  page.line(" Replicas", service.settings.replicas);
  page.line("Revision", service.revision);
  if (service.previous_revision != 0) {
    page.line("Previous Revision", service.previous_revision);
  }
  if (service.rollout) {
    put_rollout(page, *service.rollout, now);
  }
  put_policy(page, "UpdateConfig", *service.settings.update, summary.task);
  put_policy(page, "RollbackConfig", *service.settings.rollback, summary.task);
  put_template(page, summary.task);
  return page.take();
}

namespace {

void put_conditions(Page& page, const model::NodeStatus& status) {
  if (!status.conditions.empty()) {
    page.group("Conditions", [&] {
      for (const model::NodeCondition& condition : status.conditions) {
        page.line(capitalised(model::to_string(condition.kind)),
                  condition.reason + " (since " + format_time(condition.since) + ")");
      }
    });
  }
  if (!status.closed_ports.empty()) {
    page.group("Closed Ports", [&] {
      for (const model::ClosedPort& closed : status.closed_ports) {
        page.line(std::to_string(closed.port.published) + "/" +
                      std::string(model::to_string(closed.port.protocol)),
                  closed.reason);
      }
    });
  }
}

}  // namespace

std::string node_page(const api::Client::NodeView& view) {
  const model::Node& node = view.node;
  Page page;
  page.line("ID", node.id.value());
  page.labels(node.spec.labels);
  page.line("Hostname", node.description.hostname);
  page.line("Joined at", format_time(node.meta.created_at));
  page.group("Status", [&] {
    page.line("State", capitalised(model::to_string(node.status.state)));
    page.line("Message", node.status.message);
    page.line("Availability", capitalised(model::to_string(node.spec.availability)));
    page.line("Address", node.status.address);
  });
  put_conditions(page, node.status);
  if (node.manager) {
    page.group("Manager Status", [&] {
      page.line("Address", node.manager->address);
      page.line("Raft Status", view.is_reachable || view.is_leader ? "Reachable" : "Unreachable");
      page.line("Leader", view.is_leader ? "Yes" : "No");
      page.line("Refused", node.description.manager_refusal);
    });
  }
  page.group("Platform", [&] {
    page.line("Operating System", node.description.os);
    page.line("Architecture", node.description.architecture);
  });
  page.group("Resources", [&] {
    put_resources(page, node.description.resources);
    page.group("Reserved", [&] { put_resources(page, view.reserved); });
  });
  page.line("Runtime", node.description.runtime);
  page.line("Engine Version", node.description.engine_version);
  return page.take();
}

}  // namespace swarm::cli
