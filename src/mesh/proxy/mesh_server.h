#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <set>
#include <vector>

#include "base/result.h"
#include "mesh/proxy/control_channel.h"
#include "mesh/proxy/mesh_node.h"
#include "mesh/proxy/mesh_options.h"
#include "mesh/proxy/port_listeners.h"
#include "platform/arrivals.h"
#include "platform/listener_keeper.h"
#include "platform/tcp_acceptor.h"

namespace swarm::mesh {

// The mesh of one node: puts the parts together and does what swarmd says over the control socket.
// Needs swarmd for news only: without, it goes on with what it knows. Any number of swarmds may be
// connected (the old and the new one during a restart).
//
// All on `loop`; destroyed there, or after it has stopped.
class MeshServer {
 public:
  // What a new swarmd has not claimed again by then, and the table does not name, is retired.
  static constexpr std::chrono::seconds kClaimTime{60};
  static constexpr size_t kMaxChannels = 8;
  // How often a mesh that makes way looks whether it still has connections.
  static constexpr std::chrono::milliseconds kIdleLook{200};
  // A swarmd that has listeners of an earlier mesh gives them at once.
  static constexpr std::chrono::milliseconds kLoanPatience{1'000};
  // Connections to the peer port: most wait for their first words with a descriptor and little
  // else, 4 MiB in all. TLS takes some 130 KiB before its other side is known: 33 MiB in all. One
  // host may want many, another node whose clients all came at the same moment; beyond the bound
  // they wait.
  static constexpr platform::Arrivals::Limits kArrivals{
      .waiting = {.in_all = 4096, .of_host = 2048},
      .handshakes = {.in_all = 256, .of_host = 128},
      .patience = std::chrono::seconds(2)};

  // ALREADY_EXISTS when a mesh answers on the control socket, or the peer port is in use.
  // `on_shutdown`: the node leaves the swarm.
  static Result<std::unique_ptr<MeshServer>> start(AsioLoop& loop, const MeshOptions& options,
                                                   Callback on_shutdown);
  ~MeshServer();

  Tcp::endpoint peer_address() const { return peers_->address(); }
  // Another mesh has its listening sockets; it ends with its last connection.
  bool has_yielded() const { return has_yielded_; }

 private:
  using Local = boost::asio::local::stream_protocol;

  MeshServer(AsioLoop& loop, const MeshOptions& options, Callback on_shutdown);
  Status open_peers(const std::string& address);
  Status open_control();
  void serve_peers();
  void accept_control();
  void add_channel(Local::socket socket);

  void handle(ControlChannel& from, ControlMessage message);
  void on(ControlChannel& from, const Hello& hello);
  void on(ControlChannel& from, model::MeshTable& table);
  void on(ControlChannel& from, const Admit& admit);
  void on(ControlChannel& from, const Retire& retire);
  void on(ControlChannel& from, const Credentials& credentials);
  void on(ControlChannel& from, const Shutdown& shutdown);
  void on(ControlChannel& from, const Ping& ping);
  // What only a mesh says.
  template <class Other>
  void on(ControlChannel& from, const Other& other);

  void yield();
  void end_when_idle();
  Problems problems() const;
  void on_routing_changed();
  void retire(const model::TaskId& task, Duration timeout);
  void on_connection_closed(const model::TaskId& task);
  // Opens and closes what is due of all drains, and comes back when the next is.
  void advance_drains();
  void forget_if_drained(const model::TaskId& task);
  void send_all(const ControlMessage& message);

  const MeshOptions options_;
  Callback on_shutdown_;
  std::shared_ptr<MeshNode> node_;
  platform::ListenerLoan loan_;
  std::shared_ptr<PortListeners> ports_;
  struct EarlyPeer {
    Tcp::socket socket;
    platform::Arrivals::Place place;
  };
  std::vector<EarlyPeer> early_peers_;  // handed over before the first credentials
  platform::Arrivals arrivals_;
  std::shared_ptr<platform::TcpAcceptor> peers_;
  Local::acceptor control_;
  std::vector<std::shared_ptr<ControlChannel>> channels_;  // the newest last
  boost::asio::steady_timer claim_timer_;
  boost::asio::steady_timer idle_timer_;
  bool has_yielded_ = false;
  std::set<model::TaskId> retiring_;
  boost::asio::steady_timer drain_timer_;
  bool is_advance_posted_ = false;
  Anchor anchor_;
};

}  // namespace swarm::mesh
