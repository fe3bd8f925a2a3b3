#include "model/template_text.h"

#include <gtest/gtest.h>

#include "model/validate.h"
#include "unit/model/verdict.h"

namespace swarm::model {
namespace {

TemplateValues values() {
  return {.service_id = "svc1",
          .service_name = "web",
          .service_labels = {{"team", "a"}, {"com.example/x y", "b"}},
          .node_id = "node1",
          .node_hostname = "alpha",
          .node_os = "linux",
          .node_architecture = "x86_64",
          .task_id = "task1",
          .task_name = "web.3.task1",
          .task_slot = "3"};
}

TEST(TemplateText, EveryPlaceholderOfTheReferenceHasItsValue) {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {"plain {text}", "plain {text}"},
      {"{{.Service.ID}}", "svc1"},
      {"{{.Service.Name}}", "web"},
      {"{{.Service.Labels.team}}", "a"},
      {"{{ index .Service.Labels \"com.example/x y\" }}", "b"},
      {"{{.Service.Labels.none}}", ""},
      {"{{.Node.ID}}", "node1"},
      {"{{.Node.Hostname}}", "alpha"},
      {"{{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}", "linux/x86_64"},
      {"{{.Task.ID}}", "task1"},
      {"{{.Task.Name}}", "web.3.task1"},
      {"SLOT={{ .Task.Slot }}.", "SLOT=3."},
      {"{{\"{{\"}}.X}}", "{{.X}}"},
      {"{{\"}}\"}}", "}}"},
  };
  for (const auto& [text, expected] : rows) {
    const auto expanded = expand_text("field", text, values());
    ASSERT_TRUE(expanded.ok()) << expanded.status();
    EXPECT_EQ(*expanded, expected) << text;
  }
}

TEST(TemplateText, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"{{.Task.Slo}}", "{{}}", "{{.Service}}", "{{.Service.Labels}}",
                           "{{.Service.Labels.}}", "{{env \"X\"}}", "{{if .Task.Slot}}",
                           "{{index .Service.Labels team}}", "{{.Task.Slot | printf}}"}) {
    EXPECT_TRUE(is_refused(expand_with_samples("hostname", text).status(),
                           {"hostname", "unknown placeholder", ".Task.Slot"}))
        << text;
  }
  for (const char* text : {"{{", "a{{.Task.Slot", "{{.Task.Slot}", "{{\"}}"}) {
    EXPECT_TRUE(is_refused(expand_with_samples("hostname", text).status(), {"not closed"})) << text;
  }
}

TEST(TemplateText, AllFieldsThatMayHoldPlaceholdersAreReplaced) {
  ContainerSpec container;
  EXPECT_FALSE(has_placeholders(container));
  container.env = {"A=1", "SLOT={{.Task.Slot}}"};
  container.overrides.edit().hostname = "{{.Service.Name}}-{{.Task.Slot}}";
  container.mounts = {
      {.type = MountType::volume, .source = "data-{{.Task.Slot}}", .target = "/{{.Service.Name}}"}};
  EXPECT_TRUE(has_placeholders(container));
  expand_placeholders(container, values());
  EXPECT_FALSE(has_placeholders(container));
  EXPECT_EQ(container.env, (std::vector<std::string>{"A=1", "SLOT=3"}));
  EXPECT_EQ(container.overrides->hostname, "web-3");
  EXPECT_EQ(container.mounts[0].source, "data-3");
  EXPECT_EQ(container.mounts[0].target, "/web");
}

TEST(TemplateText, ASpecIsCheckedAsItWillBe) {
  TaskTemplate task;
  task.container.image = "web:1.0";
  task.container.overrides.edit().hostname = "web-{{.Task.Slot}}";
  task.container.env = {"ID={{.Task.ID}}"};
  task.container.mounts = {
      {.type = MountType::bind, .source = "/data/{{.Task.Slot}}", .target = "/data"}};
  EXPECT_TRUE(validate_template(task).ok()) << validate_template(task);

  TaskTemplate bad = task;
  bad.container.overrides.edit().hostname = "web {{.Task.Slot}}";
  EXPECT_TRUE(is_refused(validate_template(bad), {"is not a host name"}));
  bad = task;
  bad.container.env = {"ID={{.Task.Id}}"};
  EXPECT_TRUE(is_refused(validate_template(bad), {"environment variable", "{{.Task.Id}}"}));
  bad = task;
  bad.container.mounts[0].source = "{{.Task.Slot}}";
  EXPECT_TRUE(is_refused(validate_template(bad), {"mount source", "is not absolute"}));
  bad = task;
  bad.container.mounts[0].target = "/{{.Nothing}}";
  EXPECT_TRUE(is_refused(validate_template(bad), {"mount target", "unknown placeholder"}));
}

}  // namespace
}  // namespace swarm::model
