#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/assignment_store.h"
#include "agent/dispatcher_client.h"
#include "agent/mesh_control.h"
#include "support/simulated_loop.h"

// The world around an agent, for its tests: a mesh that obeys, a network of managers that the test
// plays, a disk that keeps what was saved.
namespace swarm::agent {

using model::TaskId;

// Notes what it is told; a drain lasts until the test or its timeout ends it.
class FakeMesh final : public MeshControl {
 public:
  FakeMesh(EventLoop& loop, std::vector<std::string>& journal) : loop_(loop), journal_(journal) {}

  void set_table(const model::MeshTable& table) override { table_ = table; }

  void admit(const TaskId& task, const model::ServiceId&,
             const std::vector<TaskAddress>& addresses) override {
    journal_.push_back("admit " + task.value());
    admitted_[task] = addresses;
  }

  void retire(const TaskId& task, Duration timeout, absl::AnyInvocable<void()> done) override {
    if (admitted_.erase(task) > 0) {
      journal_.push_back("retire " + task.value());
    }
    const Duration wait = busy_ ? timeout : Duration{0};
    loop_.call_at(loop_.now() + wait, std::move(done));
  }

  void set_port_listener(absl::AnyInvocable<void(const PortReport&)> listener) override {
    port_listener_ = std::move(listener);
  }
  void set_condition_listener(absl::AnyInvocable<void(const std::string&)> listener) override {
    condition_listener_ = std::move(listener);
  }

  void set_problems(const std::vector<PortProblem>& problems) {
    port_listener_({problems, table_.position});
  }
  void set_condition(const std::string& reason) { condition_listener_(reason); }
  // Tasks have open connections that never end.
  void set_busy(bool busy) { busy_ = busy; }
  bool is_admitted(const TaskId& task) const { return admitted_.contains(task); }
  const std::map<TaskId, std::vector<TaskAddress>>& admitted() const { return admitted_; }
  const model::MeshTable& table() const { return table_; }

 private:
  EventLoop& loop_;
  std::vector<std::string>& journal_;
  bool busy_ = false;
  std::map<TaskId, std::vector<TaskAddress>> admitted_;
  model::MeshTable table_;
  absl::AnyInvocable<void(const PortReport&)> port_listener_;
  absl::AnyInvocable<void(const std::string&)> condition_listener_;
};

// All managers of a swarm, played by the test.
class FakeManagers final : public DispatcherClient {
 public:
  // One stream as the manager sees it.
  struct Stream {
    std::string address;
    Events events;
    std::vector<model::AgentUpMessage> received;
    bool is_open = true;
  };

  explicit FakeManagers(EventLoop& loop) : loop_(loop) {}

  std::unique_ptr<DispatcherStream> open(const std::string& address, Events events) override {
    auto stream = std::make_shared<Stream>();
    stream->address = address;
    stream->events = std::move(events);
    streams_.push_back(stream);
    attempts_.emplace_back(loop_.now(), address);
    if (unreachable_) {
      loop_.post([this, stream] { close(*stream, absl::UnavailableError("refused"), ""); });
    }
    return std::make_unique<Handle>(std::move(stream));
  }

  void close(Stream& stream, Status status, std::string leader) {
    if (std::exchange(stream.is_open, false)) {
      stream.events.on_closed(std::move(status), std::move(leader));
    }
  }
  void close(Status status, std::string leader = "") {
    close(current(), std::move(status), std::move(leader));
  }
  void say_removed() {
    if (std::exchange(current().is_open, false)) {
      current().events.on_removed(absl::PermissionDeniedError("removed from the swarm"));
    }
  }
  void send(model::AgentDownMessage message) {
    if (current().is_open) {
      current().events.on_message(std::move(message));
    }
  }
  void accept(Duration period = seconds(1), uint32_t misses = 3) {
    send(model::SessionAccepted{model::SessionId("s" + std::to_string(streams_.size())), period,
                                misses, model::Role::worker});
  }

  void set_unreachable(bool unreachable) { unreachable_ = unreachable; }
  Stream& current() { return *streams_.back(); }
  bool has_stream() const { return !streams_.empty() && streams_.back()->is_open; }
  // Every attempt to connect: when and where.
  const std::vector<std::pair<TimePoint, std::string>>& attempts() const { return attempts_; }

  // The messages of one kind on the newest stream.
  template <class Message>
  std::vector<Message> received() const {
    std::vector<Message> found;
    if (!streams_.empty()) {
      for (const model::AgentUpMessage& message : streams_.back()->received) {
        if (const auto* wanted = std::get_if<Message>(&message)) {
          found.push_back(*wanted);
        }
      }
    }
    return found;
  }
  // The newest status of a task that the newest stream has brought.
  std::optional<model::TaskStatus> reported(const TaskId& task) const {
    std::optional<model::TaskStatus> newest;
    for (const auto& batch : received<std::vector<model::TaskReport>>()) {
      for (const model::TaskReport& report : batch) {
        if (report.task == task) {
          newest = report.status;
        }
      }
    }
    return newest;
  }

 private:
  class Handle final : public DispatcherStream {
   public:
    explicit Handle(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    ~Handle() override { stream_->is_open = false; }
    void send(model::AgentUpMessage message) override {
      if (stream_->is_open) {
        stream_->received.push_back(std::move(message));
      }
    }

   private:
    std::shared_ptr<Stream> stream_;
  };

  EventLoop& loop_;
  bool unreachable_ = false;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::vector<std::pair<TimePoint, std::string>> attempts_;
};

class FakeAssignmentStore final : public AssignmentStore {
 public:
  Result<AgentRecord> load() override {
    if (!load_status.ok()) {
      return load_status;
    }
    return record;
  }
  Status save(const AgentRecord& saved) override {
    ++saves;
    if (save_status.ok()) {
      record = saved;
    }
    return save_status;
  }

  AgentRecord record;
  Status load_status;
  Status save_status;
  int saves = 0;
};

inline model::Assignment assignment(const std::string& task,
                                    model::TaskState desired = model::TaskState::running) {
  model::Assignment assignment;
  assignment.task = TaskId(task);
  assignment.service = model::ServiceId("web");
  assignment.service_name = "web";
  assignment.slot = 1;
  assignment.revision = 1;
  assignment.desired = desired;
  assignment.spec.container.image = "web:1.0";
  assignment.spec.ports = {{.target = 80, .published = 8080}};
  return assignment;
}

inline model::AssignmentSet complete_set(model::Position position,
                                         std::vector<model::Assignment> assigned) {
  return {true, position, std::move(assigned), {}};
}

inline model::AssignmentSet changes(model::Position position,
                                    std::vector<model::Assignment> assigned,
                                    std::vector<TaskId> removed = {}) {
  return {false, position, std::move(assigned), std::move(removed)};
}

}  // namespace swarm::agent
