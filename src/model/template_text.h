#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/node.h"
#include "model/service.h"
#include "model/task.h"

// Placeholders in a spec that get their value when a task has a node, as in Docker's swarm mode:
// environment variables, the hostname, and sources and targets of mounts may hold
//
//   {{.Service.ID}}  {{.Service.Name}}  {{.Service.Labels.KEY}}  {{index .Service.Labels "KEY"}}
//   {{.Node.ID}}  {{.Node.Hostname}}  {{.Node.Platform.OS}}  {{.Node.Platform.Architecture}}
//   {{.Task.ID}}  {{.Task.Name}}  {{.Task.Slot}}
//
// and a quoted text, so that "{{" itself can be written: {{"{{"}}. There are no functions.
namespace swarm::model {

// What the placeholders stand for.
struct TemplateValues {
  std::string service_id;
  std::string service_name;
  Labels service_labels;
  std::string node_id;
  std::string node_hostname;
  std::string node_os;
  std::string node_architecture;
  std::string task_id;
  std::string task_name;  // "web.1.TASK-ID"
  std::string task_slot;
};

// INVALID_ARGUMENT for a placeholder that is not one of them, or is not closed.
Result<std::string> expand_text(std::string_view field, std::string_view text,
                                const TemplateValues& values);

// What every text would be on some node: checks the placeholders, and gives the checks on the form
// of a field something to look at.
Result<std::string> expand_with_samples(std::string_view field, std::string_view text);

bool has_placeholders(const ContainerSpec& container);

// Replaces all placeholders. They were checked when the spec was stored; one that is not known is
// left as it is.
void expand_placeholders(ContainerSpec& container, const TemplateValues& values);

}  // namespace swarm::model
