#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "runtime/docker/engine_client.h"
#include "runtime/docker/event_follower.h"
#include "runtime/docker/existing_tasks.h"
#include "runtime/probe/health_monitor.h"

namespace swarm::runtime {

struct DockerOptions {
  std::string socket = "/var/run/docker.sock";
  // Whether an image that the node does not have is asked of its registry.
  bool can_pull = true;
};

// The engine's socket: `option` if it is given, else what DOCKER_HOST says (`docker_host`, may be
// empty), else the usual path. INVALID_ARGUMENT for an address that is no Unix socket.
Result<std::string> engine_socket(std::string_view option, std::string_view docker_host);

// Tasks as containers of a Docker Engine (or Podman's compatible service), through its HTTP API.
//
// A container's labels say whose task it is; its ports are not published: the mesh reaches them at
// its private address. What the engine says when a container is inspected is the only truth; its
// events say when to look. The engine restarts nothing by itself, and its log driver is left alone.
class DockerExecutor final : public agent::Executor {
 public:
  DockerExecutor(AsioLoop& loop, DockerOptions options);
  ~DockerExecutor() override;

  void describe(absl::AnyInvocable<void(Result<agent::EngineDescription>)> done) override;
  void set_listener(Listener listener) override;
  void set_condition_listener(
      absl::AnyInvocable<void(const agent::EngineCondition&)> listener) override;
  void list(const model::SwarmId& swarm, const model::NodeId& node,
            absl::AnyInvocable<void(Result<std::vector<agent::ExistingTask>>)> done) override;
  void prepare(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
               absl::AnyInvocable<void(Result<std::string>)> done) override;
  void start(const model::TaskId& task, Done done) override;
  void stop(const model::TaskId& task, Duration grace, Done done) override;
  void remove(const model::TaskId& task, Done done) override;

 private:
  using Prepared = absl::AnyInvocable<void(Result<std::string>)>;

  // What was told about one container, so that nothing is told twice.
  struct Task {
    std::string container;
    bool is_started = false;
    bool is_healthy = false;
    bool is_unhealthy = false;
    bool has_ended = false;
    bool is_stopping = false;
    bool is_refreshing = false;
    bool needs_refresh = false;  // a hint came while it was being looked at
    std::vector<Callback> after_refresh;
    std::unique_ptr<HealthMonitor> readiness;
  };
  // One container to be made.
  struct Creation {
    model::TaskId task;
    std::string name;
    std::string image;
    std::string body;
    bool was_pulled = false;
    Prepared done;
  };

  void create(std::shared_ptr<Creation> creation);
  void on_created(const std::shared_ptr<Creation>& creation, Result<std::string> id);
  // The name is taken: by the same task, when an earlier swarmd was killed after it had made it.
  void take_existing(const std::shared_ptr<Creation>& creation, const Status& conflict);
  void pull_then_create(const std::shared_ptr<Creation>& creation);
  void pull(const std::string& image, Done done);

  // Looks at the container and tells what is new; then runs `then`.
  void refresh(const model::TaskId& task, Callback then = nullptr);
  void on_inspected(const model::TaskId& task, Result<ContainerState> state);
  void compare(const model::TaskId& task, const ContainerState& state);
  void refresh_all();
  void refresh_container(const std::string& container);
  void watch_readiness(const model::TaskId& task, const ContainerState& state);
  void tell_healthy(const model::TaskId& task, std::vector<agent::TaskAddress> addresses);
  void tell_end(const model::TaskId& task, const agent::ExecutorEvent& event);
  void tell(model::TaskId task, const agent::ExecutorEvent& event);
  agent::ExistingTask adopt(const FoundContainer& found);

  Task* find(const model::TaskId& task);

  AsioLoop& loop_;
  DockerOptions options_;
  Listener listener_;
  absl::AnyInvocable<void(const agent::EngineCondition&)> condition_listener_;
  std::map<model::TaskId, Task> tasks_;
  std::map<std::string, std::vector<Done>> pulls_;  // by image: who waits for it
  EngineClient engine_;
  std::unique_ptr<EventFollower> events_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
