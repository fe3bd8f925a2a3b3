#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/mesh_control.h"
#include "base/event_loop.h"
#include "mesh/control_message.h"
#include "mesh/proxy/control_channel.h"
#include "mesh/proxy/leaving_meshes.h"
#include "platform/listener_keeper.h"
#include "platform/process.h"

namespace swarm {
class AsioLoop;
}

namespace swarm::mesh {

// A mesh that is told to end closes its side at once, unless it is stuck.
inline constexpr Duration kShutDownLimit = seconds(3);

// swarmd's side of the control socket. Keeps all that is wanted (credentials, table, admitted and
// retiring tasks) and brings whichever mesh answers up to it: the one a former swarmd has left, or
// a new one, which it starts when none answers and again, more and more slowly, when it ends.
//
// A mesh that was started from another file, as after an upgrade, makes way: its listening sockets
// go over to a new one, and it serves its open connections to their end. A mesh of another swarm or
// node is told to end and replaced. On the agent's loop.
class MeshClient final : public agent::MeshControl {
 public:
  struct Options {
    std::filesystem::path control_socket;
    model::SwarmId swarm;
    model::NodeId node;
  };
  // Starts a mesh process; OK once it is on its way. One that ends before it serves says why.
  using Failed = absl::AnyInvocable<void(std::string reason)>;
  using Launch = absl::AnyInvocable<Status(Failed)>;

  MeshClient(AsioLoop& loop, Options options, Launch launch);
  ~MeshClient() override;

  // Finds or starts the mesh.
  void start();
  // At the start and after each renewal. Without, the mesh reaches only local tasks.
  void set_credentials(Credentials credentials);
  // The node leaves the swarm: ends the mesh and does not start it again. One that is not connected
  // is looked for once more. `done` when it has closed its side, or there is none, or when it does
  // not in kShutDownLimit.
  void shut_down(Callback done);
  // The mesh that was connected last.
  const std::optional<platform::ProcessId>& process() const { return process_; }
  bool is_connected() const { return is_welcome_; }
  // Whether the mesh has told of its listening sockets, so that its end refuses nobody.
  bool keeps_listeners() const { return keeper_ != nullptr && keeper_->kept() > 0; }

  void set_table(const model::MeshTable& table) override;
  void admit(const model::TaskId& task, const model::ServiceId& service,
             const std::vector<agent::TaskAddress>& addresses) override;
  void retire(const model::TaskId& task, Duration timeout,
              absl::AnyInvocable<void()> done) override;
  void set_port_listener(absl::AnyInvocable<void(const PortReport&)> listener) override;
  void set_condition_listener(
      absl::AnyInvocable<void(const std::string& reason)> listener) override;

 private:
  using Socket = ControlChannel::Socket;
  // One `retire` that waits for its answer.
  struct Waiter;

  void connect();
  void on_connect_failed();
  void finish_shut_down();
  void on_connected(Socket socket);
  void on_message(ControlMessage message);
  void on_welcome(const Welcome& welcome);
  void on_retired(const model::TaskId& task);
  // A mesh of another build leaves its listening sockets to one of this.
  void replace_mesh(bool is_understood);
  void finish_waiters(const model::TaskId& task);
  void finish_if_retired(const model::TaskId& task);
  void on_problems(const Problems& problems);
  void on_closed();
  void launch();
  void expect_welcome();
  // A mesh that is stopped, or hangs, serves nobody although it is there.
  void ping();
  // Empty: the mesh runs.
  void tell_condition(std::string reason);
  void reconnect_after(Duration delay);
  void send(const ControlMessage& message);

  AsioLoop& loop_;
  const Options options_;
  Launch launch_;
  absl::AnyInvocable<void(const PortReport&)> port_listener_;
  absl::AnyInvocable<void(const std::string&)> condition_listener_;
  std::string condition_;

  // Has the listening sockets of the mesh beyond its end. Null: they are lost with it.
  std::unique_ptr<platform::ListenerKeeper> keeper_;
  std::shared_ptr<ControlChannel> channel_;
  int64_t pid_ = 0;       // of the mesh at its other end
  int64_t left_pid_ = 0;  // of one that makes way, while it may still answer
  bool is_connecting_ = false;
  bool is_welcome_ = false;
  LeavingMeshes leaving_;
  // Of the tasks that are retired: those of which the mesh has said that they have no connection.
  std::set<model::TaskId> answered_;
  std::optional<platform::ProcessId> process_;
  Callback on_shut_down_;
  Timer shut_down_timer_;
  bool is_shut_down_ = false;
  Timer reconnect_timer_;
  Timer absence_timer_;  // set while the mesh is away and that was not told
  Timer ping_timer_;
  int unanswered_pings_ = 0;
  TimePoint next_launch_;
  TimePoint welcomed_at_;
  Duration patience_;  // how long a mesh that was started has to answer

  std::optional<Credentials> credentials_;
  std::optional<model::MeshTable> table_;
  std::map<model::TaskId, LocalTask> admitted_;
  // Until the mesh says that it has none of its connections. Callers may have given up earlier.
  std::map<model::TaskId, std::vector<std::unique_ptr<Waiter>>> retiring_;
  Anchor anchor_;
};

}  // namespace swarm::mesh
