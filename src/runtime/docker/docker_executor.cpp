#include "runtime/docker/docker_executor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace swarm::runtime {

namespace {

constexpr std::string_view kUnixScheme = "unix://";

// Of several containers of one task the first is taken: one that runs, if any does.
int rank(const FoundContainer& container) {
  switch (container.state.status) {
    case ContainerState::Status::running:
      return 0;
    case ContainerState::Status::created:
      return 1;
    case ContainerState::Status::exited:
      break;
  }
  return 2;
}

}  // namespace

Result<std::string> engine_socket(std::string_view option, std::string_view docker_host) {
  std::string_view address = option.empty() ? docker_host : option;
  if (address.empty()) {
    return DockerOptions().socket;
  }
  if (address.starts_with(kUnixScheme)) {
    address.remove_prefix(kUnixScheme.size());
  }
  if (!address.starts_with('/')) {
    return absl::InvalidArgumentError("'" + std::string(address) +
                                      "' is not the path of a Unix socket: use unix:///PATH");
  }
  return std::string(address);
}

DockerExecutor::DockerExecutor(AsioLoop& loop, DockerOptions options)
    : loop_(loop),
      engine_(loop, std::move(options.socket)),
      watcher_(loop, engine_),
      maker_(loop, engine_, options.can_pull) {
  maker_.set_queue_listener(
      [this](const model::TaskId& task, size_t before) { tell_place(task, before); });
}

DockerExecutor::~DockerExecutor() = default;

void DockerExecutor::describe(absl::AnyInvocable<void(Result<agent::EngineDescription>)> done) {
  engine_.info(std::move(done));
}

void DockerExecutor::set_condition_listener(
    absl::AnyInvocable<void(const agent::EngineCondition&)> listener) {
  monitor_ = std::make_unique<EngineMonitor>(loop_, engine_, std::move(listener));
}

void DockerExecutor::set_listener(Listener listener) {
  listener_ = std::move(listener);
  watcher_.set_listener([this](const model::TaskId& task, const agent::ExecutorEvent& event) {
    listener_(task, event);
  });
  if (events_ != nullptr) {
    return;
  }
  EventFollower::Callbacks callbacks;
  callbacks.on_open = [this] { watcher_.refresh_all(); };
  callbacks.on_event = [this](const EngineEvent& event) { watcher_.observe(event); };
  callbacks.on_lost = [this] {
    if (monitor_ != nullptr) {
      monitor_->check_now();
    }
  };
  events_ = std::make_unique<EventFollower>(loop_, engine_, std::move(callbacks));
}

// ---- what exists ----

void DockerExecutor::list(const model::SwarmId& swarm, const model::NodeId& node, ListDone done) {
  engine_.list(owner_labels(swarm, node),
               anchor_.bind([this, done = std::move(done)](
                                const Result<std::vector<ListedContainer>>& listed) mutable {
                 if (!listed.ok()) {
                   done(listed.status());
                   return;
                 }
                 watcher_.compare(*listed);
                 std::vector<std::string> unknown;
                 for (const ListedContainer& container : *listed) {
                   if (!watcher_.has_container(container.id)) {
                     unknown.push_back(container.id);
                   }
                 }
                 find_existing(loop_, engine_, std::move(unknown),
                               anchor_.bind([this, done = std::move(done)](
                                                Result<std::vector<FoundContainer>> found) mutable {
                                 if (!found.ok()) {
                                   done(found.status());
                                   return;
                                 }
                                 adopt(*std::move(found));
                                 done(watcher_.known());
                               }));
               }));
}

void DockerExecutor::adopt(std::vector<FoundContainer> found) {
  std::stable_sort(
      found.begin(), found.end(),
      [](const FoundContainer& a, const FoundContainer& b) { return rank(a) < rank(b); });
  for (const FoundContainer& container : found) {
    const model::TaskId& task = container.state.labels->task;
    const std::string* const known = watcher_.container(task);
    if (maker_.is_making(task) || (known != nullptr && *known == container.state.id)) {
      continue;  // the call that makes it tells of it
    }
    if (known == nullptr) {
      watcher_.adopt(container);
    } else {
      remove_duplicate(container);
    }
  }
}

// Left by a call that was given up, or made by hand: a task has one container.
void DockerExecutor::remove_duplicate(const FoundContainer& found) {
  const std::string& container = found.state.id;
  log::warning("second container of a task found, removing it",
               {{"task", found.state.labels->task.value()}, {"container", container}});
  engine_.remove(container, [container](const Status& status) {
    if (!status.ok()) {
      log::warning("second container of a task not removed",
                   {{"container", container}, {"error", status.message()}});
    }
  });
}

// ---- the life of one ----

void DockerExecutor::prepare(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
                             absl::AnyInvocable<void(Result<std::string>)> done) {
  maker_.make(labels, spec,
              [this, labels, ports = model::target_ports(spec.ports),
               done = std::move(done)](Result<std::string> id) mutable {
                if (id.ok()) {
                  watcher_.add(labels, *id, std::move(ports));
                }
                done(std::move(id));
              });
}

void DockerExecutor::abandon(const model::TaskId& task) {
  maker_.abandon(task);
}

void DockerExecutor::tell_place(const model::TaskId& task, size_t before) {
  if (!listener_) {
    return;
  }
  agent::ExecutorEvent event;
  event.kind = agent::ExecutorEvent::Kind::waiting;
  if (before > 0) {
    event.error = "waits for the engine: " + std::to_string(before) + " before it";
  }
  listener_(task, event);
}

void DockerExecutor::start(const model::TaskId& task, Done done) {
  const std::string* const container = watcher_.container(task);
  if (container == nullptr) {
    done(absl::NotFoundError("task " + task.value() + " was not prepared"));
    return;
  }
  engine_.start(*container,
                anchor_.bind([this, task, done = std::move(done)](const Status& status) mutable {
                  // An engine that did not answer may have started it, or still will.
                  if (status.ok() || absl::IsUnavailable(status)) {
                    watcher_.note_started(task);
                  }
                  done(status);
                  watcher_.refresh(task);
                }));
}

void DockerExecutor::publish(const model::TaskId& task,
                             const std::vector<model::PublishedPort>& ports) {
  watcher_.publish(task, model::target_ports(ports));
}

void DockerExecutor::stop(const model::TaskId& task, Duration grace, Done done) {
  if (!watcher_.runs(task)) {
    done(absl::OkStatus());
    return;
  }
  watcher_.note_stopping(task);
  engine_.stop(*watcher_.container(task), grace,
               anchor_.bind([this, task, done = std::move(done)](const Status& status) mutable {
                 if (!status.ok()) {
                   done(status);
                   return;
                 }
                 watcher_.refresh(task, [this, task, done = std::move(done)]() mutable {
                   done(watcher_.runs(task)
                            ? absl::UnavailableError("the container has not stopped yet")
                            : absl::OkStatus());
                 });
               }));
}

void DockerExecutor::remove(const model::TaskId& task, Done done) {
  const std::string* const container = watcher_.container(task);
  if (container == nullptr) {
    done(absl::OkStatus());
    return;
  }
  engine_.remove(*container,
                 anchor_.bind([this, task, done = std::move(done)](const Status& status) mutable {
                   if (status.ok()) {
                     watcher_.forget(task);
                   }
                   done(status);
                 }));
}

}  // namespace swarm::runtime
