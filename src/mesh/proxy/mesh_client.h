#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "agent/mesh_control.h"
#include "base/event_loop.h"
#include "mesh/control_message.h"
#include "mesh/proxy/control_channel.h"

namespace swarm {
class AsioLoop;
}

namespace swarm::mesh {

// swarmd's side of the control socket. Keeps all that is wanted (credentials, table, admitted and
// retiring tasks) and brings whichever mesh answers up to it: the one a former swarmd has left, or
// a new one, which it starts when none answers and again, more and more slowly, when it ends.
//
// A mesh that speaks another protocol, or belongs to another swarm or node, is told to end and
// replaced; its connections are cut (listening sockets are not handed over yet). On the agent's
// loop.
class MeshClient final : public agent::MeshControl {
 public:
  struct Options {
    std::filesystem::path control_socket;
    model::SwarmId swarm;
    model::NodeId node;
  };
  // Starts a mesh process; OK once it is on its way.
  using Launch = absl::AnyInvocable<Status()>;

  MeshClient(AsioLoop& loop, Options options, Launch launch);
  ~MeshClient() override;

  // Finds or starts the mesh.
  void start();
  // At the start and after each renewal. Without, the mesh reaches only local tasks.
  void set_credentials(Credentials credentials);
  // The node leaves the swarm: ends the mesh and does not start it again. `done` when it has closed
  // its side, or at once if none is connected.
  void shut_down(Callback done);
  bool is_connected() const { return is_welcome_; }

  void set_table(const model::MeshTable& table) override;
  void admit(const model::TaskId& task, const model::ServiceId& service,
             const std::vector<agent::TaskAddress>& addresses) override;
  void retire(const model::TaskId& task, Duration timeout,
              absl::AnyInvocable<void()> done) override;
  void set_problem_listener(
      absl::AnyInvocable<void(const std::vector<PortProblem>&)> listener) override;

 private:
  using Socket = ControlChannel::Socket;
  // One `retire` that waits for its answer.
  struct Waiter;

  void connect();
  void on_connect_failed();
  void on_connected(Socket socket);
  void on_message(ControlMessage message);
  void on_welcome(const Welcome& welcome);
  void on_retired(const model::TaskId& task);
  void on_problems(const Problems& problems);
  void on_closed();
  void reconnect_after(Duration delay);
  void send(const ControlMessage& message);

  AsioLoop& loop_;
  const Options options_;
  Launch launch_;
  absl::AnyInvocable<void(const std::vector<PortProblem>&)> listener_;

  std::shared_ptr<ControlChannel> channel_;
  bool is_welcome_ = false;
  Callback on_shut_down_;
  bool is_shut_down_ = false;
  Timer reconnect_timer_;
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
