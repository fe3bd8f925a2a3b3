#pragma once

#include <string>
#include <vector>

#include "api/client/client.h"
#include "base/time.h"
#include "cli/format.h"

// What the lists say about services, tasks, nodes and revisions: one row each, sorted as printed.
namespace swarm::cli {

inline constexpr std::string_view kServiceTable =
    "{{.ID}}\t{{.Name}}\t{{.Mode}}\t{{.Replicas}}\t{{.Image}}\t{{.Ports}}";
inline constexpr std::string_view kTaskTable =
    "{{.ID}}\t{{.Name}}\t{{.Image}}\t{{.Node}}\t{{.DesiredState}}\t{{.CurrentState}}\t{{.Error}}\t"
    "{{.Ports}}";
inline constexpr std::string_view kWaitingTaskTable =
    "{{.ID}}\t{{.Name}}\t{{.Image}}\t{{.Node}}\t{{.DesiredState}}\t{{.CurrentState}}\t{{.Wait}}\t"
    "{{.Error}}\t{{.Ports}}";
inline constexpr std::string_view kNodeTable =
    "{{.ID}}{{.Mark}}\t{{.Hostname}}\t{{.Status}}\t{{.Availability}}\t{{.ManagerStatus}}\t"
    "{{.EngineVersion}}";
inline constexpr std::string_view kRevisionTable =
    "{{.Revision}}\t{{.Image}}\t{{.Created}}\t{{.Running}}\t{{.Status}}";

struct TaskRowStyle {
  bool no_trunc = false;
  bool no_resolve = false;
  bool marks_older = false;  // " \_ " before the older tasks of a slot
};

Listing service_listing(std::vector<api::Client::ServiceSummary> services, bool no_trunc);
Listing task_listing(std::vector<api::Client::TaskView> tasks, WallTime now, TaskRowStyle style);
Listing node_listing(std::vector<api::Client::NodeView> nodes);
Listing revision_listing(const std::vector<api::Client::RevisionView>& revisions, WallTime now);

// By service and slot, the newest task of each slot first.
void sort_tasks(std::vector<api::Client::TaskView>& tasks);

// "Running 5 seconds ago".
std::string current_state(const model::TaskStatus& status, WallTime now);
// "web:1.0" of "web:1.0@sha256:...": the digest adds nothing where there is a tag.
std::string image_without_digest(const std::string& image);
// "*:8080->80/tcp, *:90-91->90-91/tcp", of the ports of one mode.
std::string ports_text(std::vector<model::PublishedPort> ports, model::PublishMode mode);
// What a task waits for; empty when it does not wait, or when its error says so already.
std::string task_wait(const api::Client::TaskView& view);
// Why a task fails or waits; empty when there is nothing to say.
std::string task_reason(const api::Client::TaskView& view);
// How long it has waited, and can at most where that is known: "1m1s of 1m30s". Empty when
// nobody knows.
std::string time_waited(const model::TaskWait& wait, WallTime now);

}  // namespace swarm::cli
