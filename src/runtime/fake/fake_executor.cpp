#include "runtime/fake/fake_executor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace swarm::runtime {

using agent::ExecutorEvent;
using model::TaskId;

namespace {

constexpr int32_t kKilled = 137;

Status not_answering() {
  return absl::UnavailableError("the engine does not answer");
}

std::vector<agent::TaskAddress> addresses_of(const std::vector<model::PublishedPort>& ports) {
  std::vector<agent::TaskAddress> addresses;
  for (const model::PublishedPort& port : ports) {
    addresses.push_back({port.target, "10.9.0.1:" + std::to_string(port.target)});
  }
  return addresses;
}

}  // namespace

FakeExecutor::FakeExecutor(EventLoop& loop, Random random, ScriptOf script_of)
    : loop_(loop), random_(random), script_of_(std::move(script_of)) {
  description_.runtime = "fake";
  description_.version = "1";
  description_.resources = {4'000'000'000, int64_t{8} << 30};
}

ScriptOf FakeExecutor::default_script() {
  return [](const agent::TaskLabels&, const model::TaskTemplate&) { return FakeScript{}; };
}

void FakeExecutor::set_description(agent::EngineDescription description) {
  description_ = std::move(description);
}

void FakeExecutor::describe(absl::AnyInvocable<void(Result<agent::EngineDescription>)> done) {
  loop_.post(anchor_.bind([this, done = std::move(done)]() mutable {
    if (is_answering_) {
      done(description_);
    } else {
      done(not_answering());
    }
  }));
}

void FakeExecutor::set_listener(Listener listener) {
  listener_ = std::move(listener);
  ++client_;
  for (const auto& [task, container] : containers_) {
    container->ports.cancel();
    container->view.addresses = container->made_for;
    if (container->effect == nullptr) {
      continue;
    }
    container->call.cancel();
    Callback effect = std::exchange(container->effect, nullptr);
    if (random_.chance(0.5)) {
      effect();  // its answer finds nobody
    }
  }
  std::erase_if(containers_, [](const auto& entry) { return !entry.second->is_created; });
}

void FakeExecutor::set_condition_listener(
    absl::AnyInvocable<void(const agent::EngineCondition&)> listener) {
  condition_listener_ = std::move(listener);
}

void FakeExecutor::set_answering(bool is_answering) {
  if (std::exchange(is_answering_, is_answering) == is_answering) {
    return;
  }
  loop_.post(anchor_.bind([this, is_answering] {
    if (condition_listener_ != nullptr) {
      condition_listener_({is_answering, is_answering ? "" : "the engine does not answer"});
    }
  }));
}

void FakeExecutor::list(const model::SwarmId& swarm, const model::NodeId& node,
                        absl::AnyInvocable<void(Result<std::vector<agent::ExistingTask>>)> done) {
  loop_.post(anchor_.bind([this, swarm, node, done = std::move(done)]() mutable {
    if (!is_answering_) {
      done(not_answering());
      return;
    }
    std::vector<agent::ExistingTask> existing;
    for (const auto& [task, container] : containers_) {
      const agent::TaskLabels& labels = container->view.labels;
      if (container->is_created && labels.swarm == swarm && labels.node == node) {
        existing.push_back(container->view);
      }
    }
    done(std::move(existing));
  }));
}

void FakeExecutor::prepare(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
                           absl::AnyInvocable<void(Result<std::string>)> done) {
  note("prepare", labels.task);
  std::unique_ptr<Container>& slot = containers_[labels.task];
  if (slot == nullptr) {
    slot = std::make_unique<Container>(loop_);
    slot->view.labels = labels;
    slot->view.container_id = "fake-" + labels.task.value();
    slot->script = script_of_(labels, spec);
    slot->made_for = addresses_of(spec.ports);
    slot->view.addresses = slot->made_for;
  }
  Container& prepared = *slot;
  begin_call(labels.task, prepared.script.prepare_time,
             [this, &prepared, client = client_, done = std::move(done)]() mutable {
               Status status = prepared.script.prepare_status;
               if (!is_answering_ || ++prepared.preparations <= prepared.script.prepare_refusals) {
                 status = not_answering();
               }
               prepared.is_created = prepared.is_created || status.ok();
               if (client != client_) {
                 return;
               }
               if (status.ok()) {
                 done(prepared.view.container_id);
               } else {
                 done(status);
               }
             });
}

void FakeExecutor::start(const TaskId& task, Done done) {
  note("start", task);
  Container& started = container(task);
  SWARM_CHECK(started.is_created, "start needs a prepared task: " + task.value());
  begin_call(task, started.script.start_time,
             [this, &started, client = client_, done = std::move(done)]() mutable {
               Status status = started.script.start_status;
               if (!is_answering_ || ++started.launches <= started.script.start_refusals) {
                 status = not_answering();
               }
               if (status.ok() && started.view.state == State::created) {
                 run(started);
               }
               if (client == client_) {
                 done(status);
               }
             });
}

void FakeExecutor::publish(const TaskId& task, const std::vector<model::PublishedPort>& ports) {
  const auto found = containers_.find(task);
  if (found == containers_.end() || found->second->view.state != State::running) {
    return;
  }
  Container& published = *found->second;
  published.ports.cancel();
  if (published.view.addresses == addresses_of(ports)) {
    return;
  }
  for (const model::PublishedPort& port : ports) {
    if (published.script.refused_ports.contains(port.target)) {
      emit(task, {.kind = ExecutorEvent::Kind::waiting,
                  .addresses = {},
                  .error = "port " + std::to_string(port.target) + ": connection refused"});
      return;
    }
  }
  published.ports.set_after(
      published.script.start_time, [this, &published, task, addresses = addresses_of(ports)] {
        published.view.addresses = addresses;
        if (published.view.is_healthy && published.view.state == State::running) {
          emit(task, {ExecutorEvent::Kind::healthy, addresses, 0, ""});
        }
      });
}

void FakeExecutor::stop(const TaskId& task, Duration grace, Done done) {
  note("stop", task);
  const auto found = containers_.find(task);
  if (found == containers_.end() || found->second->view.state != State::running) {
    answer(std::move(done), is_answering_ ? absl::OkStatus() : not_answering());
    return;
  }
  Container& stopped = *found->second;
  begin_call(task, std::min(grace, stopped.script.stop_time),
             [this, &stopped, grace, client = client_, done = std::move(done)]() mutable {
               if (is_answering_ && stopped.view.state == State::running) {
                 end(stopped, stopped.script.stop_time > grace ? kKilled : 0);
               }
               if (client == client_) {
                 // Posted, as the `exited` event is: that one must come first.
                 answer(std::move(done), is_answering_ ? absl::OkStatus() : not_answering());
               }
             });
}

void FakeExecutor::remove(const TaskId& task, Done done) {
  note("remove", task);
  const auto found = containers_.find(task);
  if (found == containers_.end() || !is_answering_) {
    answer(std::move(done), is_answering_ ? absl::OkStatus() : not_answering());
    return;
  }
  Container& removed = *found->second;
  SWARM_CHECK(removed.view.state != State::running, "remove of a running task: " + task.value());
  begin_call(task, removed.script.remove_time,
             [this, &removed, client = client_, done = std::move(done)]() mutable {
               removed.is_created = false;
               if (client != client_) {
                 return;  // the caller erases what is no longer created
               }
               const TaskId id = removed.view.labels.task;
               Done answered = std::move(done);
               loop_.post(anchor_.bind([this, id, answered = std::move(answered)]() mutable {
                 containers_.erase(id);
                 answered(absl::OkStatus());
               }));
             });
}

void FakeExecutor::begin_call(const TaskId& task, Duration delay, Callback effect) {
  Container& called = container(task);
  SWARM_CHECK(called.effect == nullptr, "calls overlap for task " + task.value());
  called.effect = std::move(effect);
  called.call.set_after(delay, [&called] {
    Callback effect = std::exchange(called.effect, nullptr);
    effect();
  });
}

void FakeExecutor::answer(Done done, Status status) {
  loop_.post(anchor_.bind(
      [this, client = client_, done = std::move(done), status = std::move(status)]() mutable {
        if (client == client_) {
          done(status);
        }
      }));
}

void FakeExecutor::run(Container& container) {
  ++starts_[container.view.labels.task];
  container.view.state = State::running;
  if (container.script.exits_after) {
    container.life.set_after(*container.script.exits_after,
                             [this, &container] { end(container, container.script.exit_code); });
  }
  schedule_health(container);
}

void FakeExecutor::schedule_health(Container& container) {
  const TaskId task = container.view.labels.task;
  const auto turn_unhealthy = [this, &container, task](Duration after) {
    container.health.set_after(after, [this, task] { fail_health(task); });
  };
  const FakeScript& script = container.script;
  if (!script.healthy_after) {
    if (script.unhealthy_after) {
      turn_unhealthy(*script.unhealthy_after);
    }
    return;
  }
  container.health.set_after(*script.healthy_after, [this, &container, task, turn_unhealthy] {
    container.view.is_healthy = true;
    if (container.script.unhealthy_after) {
      turn_unhealthy(*container.script.unhealthy_after);
    }
    emit(task, {ExecutorEvent::Kind::healthy, container.view.addresses, 0, ""});
  });
}

void FakeExecutor::end(Container& container, int32_t exit_code, bool is_external_stop) {
  container.life.cancel();
  container.health.cancel();
  container.view.state = State::exited;
  container.view.is_healthy = false;
  container.view.exit_code = exit_code;
  container.view.is_external_stop = is_external_stop;
  emit(container.view.labels.task, {.kind = ExecutorEvent::Kind::exited,
                                    .addresses = {},
                                    .exit_code = exit_code,
                                    .error = exit_code == kKilled ? "killed" : "",
                                    .is_external_stop = is_external_stop});
}

void FakeExecutor::crash(const TaskId& task, int32_t exit_code) {
  const auto found = containers_.find(task);
  if (found != containers_.end() && found->second->view.state == State::running) {
    end(*found->second, exit_code);
  }
}

void FakeExecutor::stop_from_outside(const TaskId& task) {
  const auto found = containers_.find(task);
  if (found != containers_.end() && found->second->view.state == State::running) {
    end(*found->second, 0, true);
  }
}

void FakeExecutor::fail_health(const TaskId& task, std::string why) {
  const auto found = containers_.find(task);
  if (found != containers_.end() && found->second->view.state == State::running) {
    found->second->view.is_healthy = false;
    emit(task, {ExecutorEvent::Kind::unhealthy, {}, 0, std::move(why)});
  }
}

void FakeExecutor::cut_off(const TaskId& task, std::string why) {
  Container& cut = container(task);
  if (cut.view.state == State::running) {
    cut.view.is_healthy = false;
    emit(task, {ExecutorEvent::Kind::unreachable, {}, 0, std::move(why)});
  }
}

void FakeExecutor::reconnect(const TaskId& task) {
  Container& back = container(task);
  if (back.view.state == State::running) {
    back.view.is_healthy = true;
    emit(task, {ExecutorEvent::Kind::healthy, back.view.addresses, 0, ""});
  }
}

void FakeExecutor::appear(const agent::TaskLabels& labels) {
  auto late = std::make_unique<Container>(loop_);
  late->view.labels = labels;
  late->view.container_id = "fake-" + labels.task.value();
  late->is_created = true;
  late->view.state = State::running;
  containers_.insert_or_assign(labels.task, std::move(late));
}

void FakeExecutor::lose(const TaskId& task) {
  const auto found = containers_.find(task);
  if (found != containers_.end() && found->second->effect == nullptr) {
    containers_.erase(found);
    emit(task, {ExecutorEvent::Kind::lost, {}, 0, ""});
  }
}

void FakeExecutor::reboot() {
  set_listener([](const TaskId&, const ExecutorEvent&) {});
  for (const auto& [task, container] : containers_) {
    if (container->view.state == State::running) {
      end(*container, kKilled);
    }
  }
}

std::set<TaskId> FakeExecutor::running() const {
  std::set<TaskId> running;
  for (const auto& [task, container] : containers_) {
    if (container->view.state == State::running) {
      running.insert(task);
    }
  }
  return running;
}

int FakeExecutor::starts(const TaskId& task) const {
  const auto found = starts_.find(task);
  return found == starts_.end() ? 0 : found->second;
}

FakeExecutor::Container& FakeExecutor::container(const TaskId& task) {
  const auto found = containers_.find(task);
  SWARM_CHECK(found != containers_.end(), "no such task was prepared: " + task.value());
  return *found->second;
}

void FakeExecutor::note(const std::string& call, const TaskId& task) {
  if (journal_ != nullptr) {
    journal_(call + " " + task.value());
  }
}

void FakeExecutor::emit(const TaskId& task, ExecutorEvent event) {
  loop_.post(anchor_.bind([this, client = client_, task, event = std::move(event)] {
    if (client == client_ && listener_ != nullptr) {
      listener_(task, event);
    }
  }));
}

}  // namespace swarm::runtime
