#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.h"
#include "control/nodes.h"
#include "control/queries.h"
#include "control/services.h"
#include "control/swarm.h"
#include "state/store.h"

namespace swarm::control {

inline constexpr WallTime kNow = WallTime(hours(24 * 365 * 50));

struct NoLog final : state::Proposer {
  void propose(model::Position, std::string) override {}
};

inline model::ServiceSpec spec_of(const std::string& name, const std::string& image = "web:1.0") {
  model::ServiceSpec spec;
  spec.name = name;
  spec.task.container.image = image;
  return spec;
}

inline model::PublishedPort port(uint16_t published, uint16_t target = 80,
                                 model::PublishMode mode = model::PublishMode::ingress) {
  return {target, published, model::PortProtocol::tcp, mode};
}

// A leader's store and the use cases on it.
class ControlTest : public testing::Test {
 protected:
  ControlTest() { store.lead(log); }

  state::View view() const { return store.view(); }
  Context context() { return {view_ = store.view(), now, random}; }

  // Stores what a use case returned.
  Status apply(Result<state::ChangeSet> changes) {
    SWARM_RETURN_IF_ERROR(changes.status());
    return store.commit(*std::move(changes), now).status();
  }

  template <class... Objects>
  void given(Objects... objects) {
    state::ChangeSet changes;
    (changes.put(std::move(objects)), ...);
    const auto stored = store.commit(std::move(changes), now);
    ASSERT_TRUE(stored.ok()) << stored.status();
  }

  Status create(model::ServiceSpec spec) {
    Result<CreatedService> created = create_service(context(), std::move(spec));
    SWARM_RETURN_IF_ERROR(created.status());
    return store.commit(std::move(created->changes), now).status();
  }

  Status update(const model::ServiceSpec& spec) {
    const state::ServicePtr stored = view().service_by_name(spec.name);
    return apply(update_service(context(), stored->id, stored->meta.version, spec));
  }

  Status roll_back(const std::string& name, std::optional<model::RevisionNumber> to = {}) {
    return apply(rollback_service(context(), name, to));
  }

  const model::Service& service(const std::string& name = "web") const {
    const state::ServicePtr found = view().service_by_name(name);
    SWARM_CHECK(found != nullptr, "the test made the service " + name);
    return *found;
  }

  // As its user would see it.
  model::ServiceSpec stored_spec(const std::string& name = "web") const {
    return {service(name).settings, view().template_of(service(name))};
  }

  std::vector<model::RevisionNumber> history(const std::string& name = "web") const {
    std::vector<model::RevisionNumber> numbers;
    for (const auto& [number, revision] : view().revisions_of(service(name).id)) {
      numbers.push_back(number);
    }
    return numbers;
  }

  model::Task task_of(const std::string& service_name, const std::string& id, model::Slot slot) {
    model::Task task;
    task.id = model::TaskId(id);
    task.service = service(service_name).id;
    task.slot = slot;
    task.revision = service(service_name).revision;
    task.status.state = model::TaskState::running;
    return task;
  }

  NoLog log;
  state::Store store;
  WallTime now = kNow;
  Random random{7};

 private:
  state::View view_ = store.view();
};

inline model::Node node_of(const std::string& id, model::Role role, uint64_t member = 0,
                           model::NodeState node_state = model::NodeState::ready) {
  model::Node node;
  node.id = model::NodeId(id);
  node.description.hostname = "host-" + id;
  node.spec.role = role;
  node.role = role;
  node.status.state = node_state;
  if (member != 0) {
    node.manager = model::ManagerStatus{model::MemberId(member), "10.0.0.1:2377"};
  }
  return node;
}

// Failure of `status` with this code and these words in its sentence.
inline testing::AssertionResult fails_with(const Status& status, absl::StatusCode code,
                                           const std::string& words) {
  if (status.code() == code && status.message().find(words) != absl::string_view::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "expected \"" << words << "\", saw " << status;
}

}  // namespace swarm::control
