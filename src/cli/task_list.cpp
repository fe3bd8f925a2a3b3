#include "cli/task_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/rows.h"
#include "cli/session.h"

namespace swarm::cli {

namespace {

using api::Client;
using Tasks = std::vector<Client::TaskView>;

Client::TaskFilter filter_of(TasksOf of, std::vector<std::string> references) {
  Client::TaskFilter filter;
  (of == TasksOf::services ? filter.services : filter.nodes) = std::move(references);
  return filter;
}

// One call when all references are known; one a reference to find out which are not.
Result<Tasks> fetch(Session& session, const TaskListOptions& options, std::vector<Status>& misses) {
  Result<Tasks> all = session.client().list_tasks(filter_of(options.of, options.references));
  if (!absl::IsNotFound(all.status()) || options.references.size() == 1) {
    return all;
  }
  Tasks found;
  for (const std::string& reference : options.references) {
    Result<Tasks> tasks = session.client().list_tasks(filter_of(options.of, {reference}));
    if (tasks.ok()) {
      std::move(tasks->begin(), tasks->end(), std::back_inserter(found));
    } else if (absl::IsNotFound(tasks.status())) {
      misses.push_back(tasks.status());
    } else {
      return tasks;
    }
  }
  return found;
}

Status keep_matching(const TaskListOptions& options, Tasks& tasks) {
  SWARM_ASSIGN_OR_RETURN(
      const Filters filters,
      Filters::parse(options.listing.filters, {"id", "name", "node", "desired-state"}));
  SWARM_RETURN_IF_ERROR(
      filters.check_words("desired-state", {"running", "shutdown", "ready", "accepted"}));
  std::erase_if(tasks, [&filters](const Client::TaskView& view) {
    const model::Task& task = view.task;
    const std::string name = model::task_name(view.service_name, task);
    return !filters.match("id", [&](const auto& value) {
      return task.id.value().starts_with(value);
    }) || !filters.match("name", [&](const auto& value) {
      return name.starts_with(value);
    }) || !filters.match("node", [&](const auto& value) {
      return task.node.value().starts_with(value) || view.node_hostname == value;
    }) || !filters.match("desired-state", [&](const auto& value) {
      return value == to_string(task.desired);
    });
  });
  return absl::OkStatus();
}

}  // namespace

int print_tasks(Session& session, TaskListOptions options) {
  ListingOptions& listing = options.listing;
  std::vector<Status> misses;
  Result<Tasks> tasks = fetch(session, options, misses);
  Status status = tasks.status();
  if (status.ok()) {
    status = keep_matching(options, *tasks);
  }
  if (!status.ok()) {
    return session.fail(status);
  }
  TaskRowStyle style{.no_trunc = listing.no_trunc,
                     .no_resolve = listing.no_resolve,
                     .marks_older = listing.format.empty() || listing.format.starts_with("table")};
  if (listing.is_quiet) {
    // As in the reference, `service ps -q` gives whole ids and `node ps -q` short ones.
    style.no_trunc = listing.no_trunc || options.of == TasksOf::services;
    listing.format = "{{.ID}}";
  }
  // Most lists have nobody who waits: the column is there when it says something.
  const bool is_waiting = std::any_of(tasks->begin(), tasks->end(),
                                      [](const auto& view) { return !task_wait(view).empty(); });
  const Result<std::string> text =
      format_listing(task_listing(*std::move(tasks), session.clock().wall_now(), style),
                     listing.format, is_waiting ? kWaitingTaskTable : kTaskTable,
                     listing.no_trunc ? 0 : session.environment().terminal.width);
  if (!text.ok()) {
    return session.fail(text.status());
  }
  return print_with_misses(session, *text, misses);
}

int print_with_misses(Session& session, const std::string& text,
                      const std::vector<Status>& misses) {
  session.environment().terminal.out.write(text);
  int code = exit_code::kOk;
  for (const Status& miss : misses) {
    code = session.fail(miss);
  }
  return code;
}

}  // namespace swarm::cli
