#include "runtime/docker/docker_executor.h"

#include <utility>

#include "base/log.h"
#include "runtime/probe/tcp_check.h"

namespace swarm::runtime {

namespace {

using Kind = agent::ExecutorEvent::Kind;

constexpr std::string_view kUnixScheme = "unix://";

bool says_no_such_image(const Status& status) {
  const std::string text(status.message());
  return absl::IsNotFound(status) && (text.find("o such image") != std::string::npos ||
                                      text.find("image not known") != std::string::npos);
}

std::string missing_image(const std::string& image) {
  return "no such image: " + image + " on this node";
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
    : loop_(loop), options_(std::move(options)), engine_(loop, options_.socket) {}

DockerExecutor::~DockerExecutor() = default;

void DockerExecutor::describe(absl::AnyInvocable<void(Result<agent::EngineDescription>)> done) {
  engine_.info(std::move(done));
}

void DockerExecutor::set_condition_listener(
    absl::AnyInvocable<void(const agent::EngineCondition&)> listener) {
  condition_listener_ = std::move(listener);
}

void DockerExecutor::set_listener(Listener listener) {
  listener_ = std::move(listener);
  if (events_ != nullptr) {
    return;
  }
  EventFollower::Callbacks callbacks;
  callbacks.on_open = [this] { refresh_all(); };
  callbacks.on_event = [this](const std::string& container) { refresh_container(container); };
  events_ = std::make_unique<EventFollower>(loop_, engine_, std::move(callbacks));
}

// ---- what exists ----

void DockerExecutor::list(const model::SwarmId& swarm, const model::NodeId& node,
                          absl::AnyInvocable<void(Result<std::vector<agent::ExistingTask>>)> done) {
  find_existing(loop_, engine_, owner_labels(swarm, node),
                anchor_.bind([this, done = std::move(done)](
                                 Result<std::vector<FoundContainer>> found) mutable {
                  if (!found.ok()) {
                    done(found.status());
                    return;
                  }
                  std::vector<agent::ExistingTask> existing;
                  for (const FoundContainer& container : *found) {
                    existing.push_back(adopt(container));
                  }
                  done(std::move(existing));
                }));
}

agent::ExistingTask DockerExecutor::adopt(const FoundContainer& found) {
  const ContainerState& state = found.state;
  agent::ExistingTask existing{.labels = *state.labels,
                               .container_id = state.id,
                               .is_healthy = found.is_healthy,
                               .addresses = {},
                               .exit_code = state.exit_code,
                               .error = {}};
  Task& task = tasks_[state.labels->task];
  task.container = state.id;
  task.is_healthy = task.is_healthy || found.is_healthy;
  switch (state.status) {
    case ContainerState::Status::created:
      existing.state = agent::ExistingTask::State::created;
      break;
    case ContainerState::Status::running:
      existing.state = agent::ExistingTask::State::running;
      existing.addresses = state.addresses();
      task.is_started = true;
      // For those that are not healthy yet, and for what has changed since.
      refresh(state.labels->task);
      break;
    case ContainerState::Status::exited:
      existing.state = agent::ExistingTask::State::exited;
      task.is_started = true;
      task.has_ended = true;
      break;
  }
  return existing;
}

// ---- making one ----

void DockerExecutor::prepare(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
                             Prepared done) {
  auto body = create_body(labels, spec);
  if (!body.ok()) {
    done(body.status());
    return;
  }
  create(std::make_shared<Creation>(Creation{.task = labels.task,
                                             .name = container_name(labels),
                                             .image = spec.container.image,
                                             .body = *std::move(body),
                                             .done = std::move(done)}));
}

void DockerExecutor::create(std::shared_ptr<Creation> creation) {
  engine_.create(creation->name, creation->body,
                 anchor_.bind([this, creation](Result<std::string> id) {
                   on_created(creation, std::move(id));
                 }));
}

void DockerExecutor::on_created(const std::shared_ptr<Creation>& creation, Result<std::string> id) {
  if (id.ok()) {
    Task fresh;
    fresh.container = *id;
    tasks_.insert_or_assign(creation->task, std::move(fresh));
    creation->done(std::move(id));
    return;
  }
  if (absl::IsAlreadyExists(id.status())) {
    take_existing(creation, id.status());
  } else if (says_no_such_image(id.status()) && !creation->was_pulled) {
    pull_then_create(creation);
  } else {
    creation->done(id.status());
  }
}

void DockerExecutor::take_existing(const std::shared_ptr<Creation>& creation,
                                   const Status& conflict) {
  engine_.inspect(
      creation->name, anchor_.bind([this, creation, why = std::string(conflict.message())](
                                       const Result<ContainerState>& state) {
        const bool is_ours = state.ok() && state->labels && state->labels->task == creation->task &&
                             state->status == ContainerState::Status::created;
        if (!is_ours) {
          creation->done(absl::FailedPreconditionError(why));
          return;
        }
        tasks_[creation->task].container = state->id;
        creation->done(state->id);
      }));
}

void DockerExecutor::pull_then_create(const std::shared_ptr<Creation>& creation) {
  if (!options_.can_pull) {
    creation->done(absl::NotFoundError(missing_image(creation->image)));
    return;
  }
  creation->was_pulled = true;
  pull(creation->image, [this, creation](const Status& status) {
    if (!status.ok()) {
      creation->done(
          absl::NotFoundError(missing_image(creation->image) +
                              ", and it could not be pulled: " + std::string(status.message())));
      return;
    }
    create(creation);
  });
}

// Several tasks that need the same image wait for one pull.
void DockerExecutor::pull(const std::string& image, Done done) {
  std::vector<Done>& waiting = pulls_[image];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) {
    return;
  }
  log::info("image pull started", {{"image", image}});
  engine_.pull(image, anchor_.bind([this, image](const Status& status) {
    log::info("image pull ended", {{"image", image}, {"status", status.ToString()}});
    auto finished = std::move(pulls_.extract(image).mapped());
    for (Done& one : finished) {
      one(status);
    }
  }));
}

// ---- its life ----

void DockerExecutor::start(const model::TaskId& task, Done done) {
  const Task* const found = find(task);
  if (found == nullptr) {
    done(absl::NotFoundError("task " + task.value() + " was not prepared"));
    return;
  }
  engine_.start(found->container,
                anchor_.bind([this, task, done = std::move(done)](const Status& status) mutable {
                  Task* const started = find(task);
                  if (status.ok() && started != nullptr) {
                    started->is_started = true;
                  }
                  done(status);
                  refresh(task);
                }));
}

void DockerExecutor::stop(const model::TaskId& task, Duration grace, Done done) {
  Task* const found = find(task);
  if (found == nullptr || !found->is_started || found->has_ended) {
    done(absl::OkStatus());
    return;
  }
  found->is_stopping = true;
  found->readiness.reset();
  engine_.stop(found->container, grace,
               anchor_.bind([this, task, done = std::move(done)](const Status& status) mutable {
                 if (!status.ok()) {
                   done(status);
                   return;
                 }
                 refresh(task, [this, task, done = std::move(done)]() mutable {
                   const Task* const stopped = find(task);
                   const bool has_ended = stopped == nullptr || stopped->has_ended;
                   done(has_ended ? absl::OkStatus()
                                  : absl::UnavailableError("the container has not stopped yet"));
                 });
               }));
}

void DockerExecutor::remove(const model::TaskId& task, Done done) {
  const Task* const found = find(task);
  if (found == nullptr) {
    done(absl::OkStatus());
    return;
  }
  engine_.remove(found->container,
                 anchor_.bind([this, task, done = std::move(done)](const Status& status) mutable {
                   if (status.ok()) {
                     tasks_.erase(task);
                   }
                   done(status);
                 }));
}

// ---- what the engine says ----

void DockerExecutor::refresh_all() {
  for (const auto& [id, task] : tasks_) {
    refresh(id);
  }
}

void DockerExecutor::refresh_container(const std::string& container) {
  for (const auto& [id, task] : tasks_) {
    if (task.container == container) {
      refresh(id);
      return;
    }
  }
}

void DockerExecutor::refresh(const model::TaskId& task, Callback then) {
  Task* const found = find(task);
  if (found == nullptr) {
    if (then) {
      then();
    }
    return;
  }
  if (then) {
    found->after_refresh.push_back(std::move(then));
  }
  if (found->is_refreshing) {
    found->needs_refresh = true;
    return;
  }
  found->is_refreshing = true;
  engine_.inspect(found->container, anchor_.bind([this, task](Result<ContainerState> state) {
    on_inspected(task, std::move(state));
  }));
}

void DockerExecutor::on_inspected(const model::TaskId& task, Result<ContainerState> state) {
  Task* const found = find(task);
  if (found == nullptr) {
    return;
  }
  found->is_refreshing = false;
  // A hint that came meanwhile may be about something this answer does not hold yet.
  if (std::exchange(found->needs_refresh, false)) {
    refresh(task);
    return;
  }
  auto waiting = std::exchange(found->after_refresh, {});
  if (state.ok()) {
    compare(task, *state);
  } else if (absl::IsNotFound(state.status()) && found->is_started) {
    agent::ExecutorEvent event;
    event.kind = Kind::lost;
    event.error = "the engine no longer knows the container";
    tell_end(task, event);
  }
  // An engine that does not answer is looked at again when its events are back.
  for (Callback& callback : waiting) {
    callback();
  }
}

void DockerExecutor::compare(const model::TaskId& task, const ContainerState& state) {
  Task* const found = find(task);
  if (!found->is_started || found->has_ended) {
    return;
  }
  if (state.status == ContainerState::Status::exited) {
    agent::ExecutorEvent event;
    event.kind = Kind::exited;
    event.exit_code = state.exit_code;
    event.error = state.error;
    tell_end(task, event);
    return;
  }
  if (found->is_stopping || state.status != ContainerState::Status::running) {
    return;
  }
  switch (state.health) {
    case ContainerState::Health::starting:
      return;
    case ContainerState::Health::none:
      watch_readiness(task, state);
      return;
    case ContainerState::Health::healthy:
      tell_healthy(task, state.addresses());
      return;
    case ContainerState::Health::unhealthy:
      break;
  }
  if (!std::exchange(found->is_unhealthy, true)) {
    agent::ExecutorEvent event;
    event.kind = Kind::unhealthy;
    event.error = state.health_output.empty() ? "its health check fails" : state.health_output;
    tell(task, event);
  }
}

void DockerExecutor::watch_readiness(const model::TaskId& task, const ContainerState& state) {
  Task* const found = find(task);
  if (found->is_healthy || found->readiness != nullptr) {
    return;
  }
  HealthMonitor::Events events;
  events.on_healthy = [this, task, addresses = state.addresses()] {
    tell_healthy(task, addresses);
  };
  found->readiness = std::make_unique<HealthMonitor>(
      loop_, make_tcp_check(loop_, state.tcp_addresses()), readiness_policy(), std::move(events));
}

void DockerExecutor::tell_healthy(const model::TaskId& task,
                                  std::vector<agent::TaskAddress> addresses) {
  if (std::exchange(find(task)->is_healthy, true)) {
    return;
  }
  agent::ExecutorEvent event;
  event.kind = Kind::healthy;
  event.addresses = std::move(addresses);
  tell(task, event);
}

void DockerExecutor::tell_end(const model::TaskId& task, const agent::ExecutorEvent& event) {
  Task* const found = find(task);
  if (std::exchange(found->has_ended, true)) {
    return;
  }
  found->readiness.reset();
  tell(task, event);
}

// Last in its caller: the listener may remove the task, so it gets an id of its own.
void DockerExecutor::tell(model::TaskId task, const agent::ExecutorEvent& event) {
  if (listener_) {
    listener_(task, event);
  }
}

DockerExecutor::Task* DockerExecutor::find(const model::TaskId& task) {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? nullptr : &found->second;
}

}  // namespace swarm::runtime
