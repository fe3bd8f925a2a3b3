#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor.h"
#include "base/asio_loop.h"
#include "runtime/docker/container_maker.h"
#include "runtime/docker/container_watcher.h"
#include "runtime/docker/engine_client.h"
#include "runtime/docker/engine_monitor.h"
#include "runtime/docker/event_follower.h"
#include "runtime/docker/existing_tasks.h"

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
// its private address. The engine restarts nothing by itself, and its log driver is left alone.
// The engine is somebody else's: see container_watcher.h for what others do to our containers.
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
  void abandon(const model::TaskId& task) override;
  void start(const model::TaskId& task, Done done) override;
  void publish(const model::TaskId& task, const std::vector<model::PublishedPort>& ports) override;
  void stop(const model::TaskId& task, Duration grace, Done done) override;
  void remove(const model::TaskId& task, Done done) override;

 private:
  using ListDone = absl::AnyInvocable<void(Result<std::vector<agent::ExistingTask>>)>;

  void adopt(std::vector<FoundContainer> found);
  void remove_duplicate(const FoundContainer& found);
  void tell_place(const model::TaskId& task, size_t before);

  AsioLoop& loop_;
  Listener listener_;
  EngineClient engine_;
  ContainerWatcher watcher_;
  ContainerMaker maker_;
  std::unique_ptr<EventFollower> events_;
  std::unique_ptr<EngineMonitor> monitor_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
