#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/rows.h"
#include "cli/service_commands.h"
#include "cli/session.h"
#include "cli/task_list.h"

namespace swarm::cli {

namespace {

using api::Client;

Result<std::vector<Client::ServiceSummary>> filtered_services(Session& session,
                                                              const ListingOptions& options) {
  SWARM_ASSIGN_OR_RETURN(const Filters filters,
                         Filters::parse(options.filters, {"id", "name", "label", "mode"}));
  SWARM_RETURN_IF_ERROR(filters.check_words("mode", {"replicated", "global"}));
  SWARM_ASSIGN_OR_RETURN(std::vector<Client::ServiceSummary> services,
                         session.client().list_services());
  std::erase_if(services, [&filters](const Client::ServiceSummary& summary) {
    const model::Service& service = summary.service;
    const auto starts = [](const std::string& text) {
      return [&text](const std::string& value) { return text.starts_with(value); };
    };
    return !filters.match("id", starts(service.id.value())) ||
           !filters.match("name", starts(service.settings.name)) ||
           !filters.match(
               "label",
               [&](const auto& value) { return has_label(service.settings.labels, value); }) ||
           !filters.match("mode", [](const auto& value) { return value == "replicated"; });
  });
  return services;
}

struct InspectOptions {
  std::vector<std::string> services;
  std::string format;
  bool is_pretty = false;
};

int inspect_services(Session& session, const InspectOptions& options) {
  if (options.is_pretty && !options.format.empty()) {
    return session.fail(absl::InvalidArgumentError("--format cannot be used with --pretty"));
  }
  std::vector<Client::ServiceSummary> found;
  std::string pages;
  std::vector<Status> misses;
  for (const std::string& reference : options.services) {
    const Result<Client::ServiceSummary> summary = session.client().get_service(reference);
    if (!summary.ok()) {
      misses.push_back(summary.status());
      continue;
    }
    found.push_back(*summary);
    pages += (pages.empty() ? "" : "\n") + service_page(*summary, session.clock().wall_now());
  }
  const Result<std::string> text =
      options.is_pretty ? pages : services_as_json(found, options.format);
  if (!text.ok()) {
    return session.fail(text.status());
  }
  return print_with_misses(session, *text, misses);
}

struct HistoryOptions {
  std::string service;
  ListingOptions listing;
};

int print_history(Session& session, HistoryOptions options) {
  const Result<std::vector<Client::RevisionView>> revisions =
      session.client().history(options.service);
  if (!revisions.ok()) {
    return session.fail(revisions.status());
  }
  if (options.listing.is_quiet) {
    options.listing.format = "{{.Revision}}";
  }
  return print_listing(session, revision_listing(*revisions, session.clock().wall_now()),
                       options.listing, kRevisionTable);
}

// A port may be closed on nodes that run no task of the service: no row of the list says so.
void warn_of_closed_ports(Session& session, const std::vector<std::string>& services) {
  for (const std::string& reference : services) {
    const Result<Client::ServiceSummary> summary = session.client().get_service(reference);
    if (!summary.ok()) {
      continue;  // the list has said so
    }
    for (const Client::ClosedPort& closed : summary->closed_ports) {
      session.print_error("Warning: " + summary->service.settings.name + ": " +
                          closed_port_text(closed));
    }
  }
}

}  // namespace

Action define_service_ls(CLI::App& app, Environment&) {
  auto options = std::make_shared<ListingOptions>();
  add_list_flags(app, *options);
  add_switch(app, "--no-trunc", "Do not cut ids", options->no_trunc);
  return [options](Session& session) {
    Result<std::vector<Client::ServiceSummary>> services = filtered_services(session, *options);
    if (!services.ok()) {
      return session.fail(services.status());
    }
    if (options->is_quiet) {
      options->format = "{{.ID}}";
    }
    return print_listing(session, service_listing(*std::move(services), options->no_trunc),
                         *options, kServiceTable);
  };
}

Action define_service_ps(CLI::App& app, Environment&) {
  auto options = std::make_shared<TaskListOptions>();
  add_task_list_flags(app, options->listing);
  add_arguments(app, "SERVICE", true, options->references);
  options->of = TasksOf::services;
  return [options](Session& session) {
    const int code = print_tasks(session, *options);
    if (!options->listing.is_quiet) {
      warn_of_closed_ports(session, options->references);
    }
    return code;
  };
}

Action define_service_inspect(CLI::App& app, Environment&) {
  auto options = std::make_shared<InspectOptions>();
  add_text(app, "-f,--format", "FORMAT", "json, or text with fields like {{.Spec.Name}}",
           options->format);
  add_switch(app, "--pretty", "Print for people to read", options->is_pretty);
  add_arguments(app, "SERVICE", true, options->services);
  return [options](Session& session) { return inspect_services(session, *options); };
}

Action define_service_history(CLI::App& app, Environment&) {
  auto options = std::make_shared<HistoryOptions>();
  add_text(app, "--format", "FORMAT", "table, json, or text with fields like {{.Revision}}",
           options->listing.format);
  add_switch(app, "-q,--quiet", "Print revision numbers only", options->listing.is_quiet);
  add_argument(app, "SERVICE", true, options->service);
  return [options](Session& session) { return print_history(session, *options); };
}

}  // namespace swarm::cli
