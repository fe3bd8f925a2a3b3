#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/listing.h"

namespace swarm::cli {

class Session;

enum class TasksOf { services, nodes };

// `service ps` and `node ps`: the same list, chosen by different references.
struct TaskListOptions {
  TasksOf of = TasksOf::services;
  std::vector<std::string> references;
  ListingOptions listing;
};

// References nobody knows are reported after the list; gives the exit code.
int print_tasks(Session& session, TaskListOptions options);

// `text` to stdout, then one line for each miss to stderr; kError if there is one.
int print_with_misses(Session& session, const std::string& text, const std::vector<Status>& misses);

}  // namespace swarm::cli
