#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.h"
#include "state/store.h"

namespace swarm::state {

inline constexpr WallTime kStart = WallTime(hours(24 * 365 * 50));

// Keeps the entries of the log in order; the test decides when they are committed.
struct KeptLog final : Proposer {
  void propose(model::Position position, std::string entry) override {
    SWARM_CHECK(position == first + entries.size(), "positions come without gaps");
    entries.push_back(std::move(entry));
  }
  model::Position first = 1;
  std::vector<std::string> entries;
};

inline model::Node node_named(const std::string& id) {
  model::Node node;
  node.id = model::NodeId(id);
  node.description.hostname = "host-" + id;
  return node;
}

inline model::Service service_named(const std::string& id, const std::string& name) {
  model::Service service;
  service.id = model::ServiceId(id);
  service.settings.name = name;
  service.revision = 1;
  return service;
}

inline model::Revision revision_of(const std::string& service, model::RevisionNumber number) {
  model::Revision revision;
  revision.service = model::ServiceId(service);
  revision.number = number;
  revision.task.container.image = "web:" + std::to_string(number);
  return revision;
}

inline model::Task task_of(const std::string& service, const std::string& id, model::Slot slot) {
  model::Task task;
  task.id = model::TaskId(id);
  task.service = model::ServiceId(service);
  task.slot = slot;
  task.revision = 1;
  task.status.state = model::TaskState::pending;
  return task;
}

// A service "web" (id s1) with revision 1 and tasks t1, t2 that wait for a node; a node n1.
inline ChangeSet web_with_two_tasks() {
  ChangeSet changes;
  changes.put(node_named("n1"));
  changes.put(service_named("s1", "web"));
  changes.put(revision_of("s1", 1));
  changes.put(task_of("s1", "t1", 1));
  changes.put(task_of("s1", "t2", 2));
  return changes;
}

template <class... Objects>
ChangeSet putting(Objects... objects) {
  ChangeSet changes;
  (changes.put(std::move(objects)), ...);
  return changes;
}

template <class... Keys>
ChangeSet removing(Keys... keys) {
  ChangeSet changes;
  (changes.remove(std::move(keys)), ...);
  return changes;
}

inline std::vector<std::string> chunks_of(const Store& store) {
  const auto next = store.snapshot();
  std::vector<std::string> chunks;
  for (std::string chunk = next(); !chunk.empty(); chunk = next()) {
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

// The outcome of loading `chunks` into `store`, which is as it was on error.
inline Status restore(Store& store, const std::vector<std::string>& chunks) {
  SnapshotLoader loader;
  for (const std::string& chunk : chunks) {
    SWARM_RETURN_IF_ERROR(loader.add(chunk));
  }
  SWARM_ASSIGN_OR_RETURN(StoreContents contents, loader.finish());
  store.restore(std::move(contents));
  return absl::OkStatus();
}

// Everything a view answers, to be compared: the indexes, not only the objects.
inline std::string fingerprint(const View& view) {
  std::string text = std::to_string(view.position());
  for (const auto& [id, service] : view.services()) {
    text += "\nservice " + id.value() + " " + service->settings.name + "/" +
            std::to_string(service->meta.version) + (service->is_removed ? " removed" : "");
    const ServicePtr named = view.service_by_name(service->settings.name);
    text += " named " + (named ? named->id.value() : "-");
    for (const auto& [number, revision] : view.revisions_of(id)) {
      text += " r" + std::to_string(number);
    }
    for (const auto& [task_id, task] : view.tasks_of(id)) {
      text += " " + task_id.value() + "/" + std::to_string(task->meta.version);
    }
  }
  for (const char* node : {"n0", "n1", "n2", "n3"}) {
    text += std::string("\nnode ") + node + (view.node(model::NodeId(node)) ? " stored" : "");
    for (const auto& [task_id, task] : view.tasks_on(model::NodeId(node))) {
      text += " " + task_id.value() + "/" + std::to_string(task->meta.version);
    }
  }
  text += "\nunplaced";
  for (const auto& [task_id, task] : view.unplaced_tasks()) {
    text += " " + task_id.value();
  }
  return text + "\ntasks " + std::to_string(view.tasks().size());
}

// A leader with the web service stored at position 1.
class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    store.lead(log);
    SWARM_CHECK(store.commit(web_with_two_tasks(), kStart).ok(), "the fixture is stored");
  }

  View view() const { return store.view(); }
  model::Task task(const std::string& id) const { return *view().task(model::TaskId(id)); }
  model::Service web() const { return *view().service_by_name("web"); }

  // The refusal changed nothing: not the head, not the log, not an object.
  void expect_refused(ChangeSet changes, absl::StatusCode code, const std::string& words) {
    const model::Position head = store.head();
    const size_t entries = log.entries.size();
    const auto before = view().tasks();
    const Result<model::Position> result = store.commit(std::move(changes), kStart);
    EXPECT_EQ(result.status().code(), code) << result.status();
    EXPECT_TRUE(result.status().message().find(words) != absl::string_view::npos)
        << result.status();
    EXPECT_EQ(store.head(), head);
    EXPECT_EQ(log.entries.size(), entries);
    EXPECT_EQ(view().tasks(), before);
  }

  KeptLog log;
  Store store;
};

}  // namespace swarm::state
