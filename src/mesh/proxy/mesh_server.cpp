#include "mesh/proxy/mesh_server.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "mesh/proxy/endpoint_text.h"
#include "mesh/proxy/owner_session.h"
#include "platform/local_socket.h"

namespace swarm::mesh {

namespace {

bool does_answer(boost::asio::io_context& context, const std::filesystem::path& path) {
  boost::asio::local::stream_protocol::socket probe(context);
  ErrorCode error;
  probe.connect(path.string(), error);
  return !error;
}

}  // namespace

MeshServer::MeshServer(AsioLoop& loop, const MeshOptions& options, Callback on_shutdown)
    : options_(options),
      on_shutdown_(std::move(on_shutdown)),
      node_(std::make_shared<MeshNode>(loop, options.node, options.timeouts)),
      loan_(loop, keeper_socket(options.control_socket), kLoanPatience, [this] { yield(); }),
      arrivals_(loop.context(), kArrivals,
                [this](Tcp::socket socket, platform::Arrivals::Place place) {
                  early_peers_.push_back({std::move(socket), std::move(place)});
                  serve_peers();
                }),
      control_(loop.context()),
      claim_timer_(loop.context()),
      idle_timer_(loop.context()),
      drain_timer_(loop.context()) {
  node_->on_connection_closed =
      anchor_.bind([this](const model::TaskId& task) { on_connection_closed(task); });
}

MeshServer::~MeshServer() {
  node_->let_go();
  for (const auto& channel : channels_) {
    channel->close();
  }
  if (peers_ != nullptr) peers_->close();
}

Result<std::unique_ptr<MeshServer>> MeshServer::start(AsioLoop& loop, const MeshOptions& options,
                                                      Callback on_shutdown) {
  ErrorCode error;
  const auto data_address = boost::asio::ip::make_address(options.data_address, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", options.data_address, "' is not an address to publish ports on"));
  }
  // A second mesh must fail before it touches anything of the first.
  if (does_answer(loop.context(), options.control_socket)) {
    return absl::AlreadyExistsError(
        absl::StrCat("a mesh answers on ", options.control_socket.string(), " already"));
  }
  std::unique_ptr<MeshServer> server(new MeshServer(loop, options, std::move(on_shutdown)));
  server->ports_ = std::make_shared<PortListeners>(
      server->node_, server->loan_, data_address,
      server->anchor_.bind([self = server.get()](const std::vector<PortIssue>& issues) {
        self->send_all(Problems{issues, self->node_->routing.table().position});
      }));
  SWARM_RETURN_IF_ERROR(server->open_peers(options.peer_address));
  SWARM_RETURN_IF_ERROR(server->open_control());
  server->accept_control();
  return server;
}

Status MeshServer::open_peers(const std::string& text) {
  SWARM_ASSIGN_OR_RETURN(const Tcp::endpoint address, parse_endpoint(text));
  const std::string name = absl::StrCat("peers ", text);
  auto on_peer = [this](Tcp::socket socket) { arrivals_.add(std::move(socket)); };
  std::optional<platform::TcpHandle> kept = loan_.take(name);
  Result<std::shared_ptr<platform::TcpAcceptor>> peers =
      kept.has_value() ? platform::TcpAcceptor::adopt(node_->context, *std::move(kept), on_peer)
                       : platform::TcpAcceptor::open(node_->context, address, on_peer);
  if (!peers.ok()) {
    return Status(peers.status().code(),
                  absl::StrCat("the mesh's address ", text, " ", peers.status().message()));
  }
  peers_ = *std::move(peers);
  loan_.opened(name, peers_->native_handle());
  return absl::OkStatus();
}

// Without credentials nobody can be told from anybody: then they wait, in the places of strangers.
void MeshServer::serve_peers() {
  if (node_->identity == nullptr) return;
  for (EarlyPeer& peer : std::exchange(early_peers_, {})) {
    std::make_shared<OwnerSession>(node_, std::move(peer.socket), std::move(peer.place))->start();
  }
}

Status MeshServer::open_control() {
  const std::filesystem::path& path = options_.control_socket;
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  ErrorCode error;
  control_.open(Local(), error);
  if (!error) control_.bind(path.string(), error);
  // Before it listens: nobody else can have connected.
  Status restricted;
  if (!error) restricted = platform::make_socket_private(path);
  SWARM_RETURN_IF_ERROR(restricted);
  if (!error) control_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot open the control socket ", path.string(), ": ", error.message()));
  }
  return absl::OkStatus();
}

void MeshServer::accept_control() {
  control_.async_accept(anchor_.bind([this](ErrorCode error, Local::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (!error) {
      add_channel(std::move(socket));
    } else {
      log::warning("could not accept a control connection", {{"error", error.message()}});
    }
    accept_control();
  }));
}

void MeshServer::add_channel(Local::socket socket) {
  if (channels_.size() >= kMaxChannels) {
    channels_.front()->close();
    channels_.erase(channels_.begin());
  }
  const auto channel = std::make_shared<ControlChannel>(std::move(socket));
  channels_.push_back(channel);
  ControlChannel* raw = channel.get();
  channel->start(
      {anchor_.bind([this, raw](ControlMessage message) { handle(*raw, std::move(message)); }),
       anchor_.bind([this, raw] {
         std::erase_if(channels_, [raw](const auto& c) { return c.get() == raw; });
       })});
}

void MeshServer::handle(ControlChannel& from, ControlMessage message) {
  std::visit([&](auto& fields) { on(from, fields); }, message);
}

void MeshServer::on(ControlChannel& from, const Hello& hello) {
  log::info("swarmd connected to the mesh", {{"protocol", hello.protocol}});
  from.send(Welcome{kControlProtocol, options_.swarm, options_.node});
  from.send(problems());
  node_->routing.begin_claims();
  claim_timer_.expires_after(kClaimTime);
  claim_timer_.async_wait(anchor_.bind([this](ErrorCode error) {
    if (error) return;
    for (const model::TaskId& task : node_->routing.retire_unclaimed(node_->now())) {
      log::info("task of an earlier swarmd forgotten", {{"task", task.value()}});
      retire(task, Duration{0});
    }
  }));
}

void MeshServer::on(ControlChannel& from, model::MeshTable& table) {
  if (node_->routing.set_table(std::move(table))) on_routing_changed();
  ports_->drop_unclaimed();
  from.send(problems());
}

Problems MeshServer::problems() const {
  return {ports_->issues(), node_->routing.table().position};
}

void MeshServer::on(ControlChannel&, const Admit& admit) {
  retiring_.erase(admit.task.task);
  node_->routing.admit(admit.task);
  on_routing_changed();
}

void MeshServer::on(ControlChannel&, const Retire& message) {
  retire(message.task, message.timeout);
}

void MeshServer::on(ControlChannel&, const Credentials& credentials) {
  auto identity = TlsIdentity::make(credentials);
  if (!identity.ok()) {
    log::error("new credentials were not taken", {{"reason", identity.status().message()}});
    return;
  }
  // Links that carry a stream end with the identity they began with.
  node_->identity = *std::move(identity);
  serve_peers();
  node_->pool.clear();
  node_->wake_held();
}

void MeshServer::on(ControlChannel&, const Shutdown&) {
  log::info("told to end");
  on_shutdown_();
}

void MeshServer::on(ControlChannel& from, const Ping&) {
  from.send(Pong{});
}

template <class Other>
void MeshServer::on(ControlChannel& from, const Other&) {
  from.close();
  std::erase_if(channels_, [&from](const auto& channel) { return channel.get() == &from; });
}

// The next mesh finds the control socket free; clients that come meanwhile wait in the listening
// sockets, which swarmd keeps. Links without a stream are given up: those who use them connect
// again, and find the next mesh.
void MeshServer::yield() {
  if (has_yielded_) return;
  log::info("another mesh takes over");
  has_yielded_ = true;
  loan_.let_go();
  ports_->yield();
  peers_->close();
  // Before it is closed: from then on the next mesh may be started, whose file it would be.
  std::error_code not_removed;
  std::filesystem::remove(options_.control_socket, not_removed);
  ErrorCode ignored;
  control_.close(ignored);
  node_->let_links_go();
  end_when_idle();
}

void MeshServer::end_when_idle() {
  // Every connection holds the node: nobody but this and the ports does.
  constexpr long kOwners = 2;
  if (node_.use_count() <= kOwners) {
    log::info("the last connection has ended");
    on_shutdown_();
    return;
  }
  idle_timer_.expires_after(kIdleLook);
  idle_timer_.async_wait(anchor_.bind([this](ErrorCode error) {
    if (!error) end_when_idle();
  }));
}

void MeshServer::on_routing_changed() {
  ports_->update();
  node_->wake_held();
}

void MeshServer::retire(const model::TaskId& task, Duration timeout) {
  retiring_.insert(task);
  node_->routing.retire(task, node_->now(), timeout);
  node_->leases->drain(task);
  forget_if_drained(task);
  advance_drains();
}

// What follows for the drain may end other connections: not within the end of this one.
void MeshServer::on_connection_closed(const model::TaskId& task) {
  forget_if_drained(task);
  if (!retiring_.contains(task) || is_advance_posted_) return;
  is_advance_posted_ = true;
  boost::asio::post(node_->context, anchor_.bind([this] {
    is_advance_posted_ = false;
    advance_drains();
  }));
}

void MeshServer::advance_drains() {
  bool has_opened = false;
  for (const model::TaskId& task : std::set(retiring_)) {
    const TaskDrain::Change change = node_->routing.advance_drain(task, node_->now());
    has_opened = has_opened || change == TaskDrain::Change::opened;
    if (change == TaskDrain::Change::closed) {
      node_->leases->drain(task);
      forget_if_drained(task);
    }
  }
  if (has_opened) node_->wake_held();
  const TimePoint next = node_->routing.next_drain_change();
  if (next == TimePoint::max()) {
    drain_timer_.cancel();
    return;
  }
  drain_timer_.expires_after(next - node_->now());
  drain_timer_.async_wait(anchor_.bind([this](ErrorCode error) {
    if (!error) advance_drains();
  }));
}

void MeshServer::forget_if_drained(const model::TaskId& task) {
  if (!retiring_.contains(task) || !node_->routing.is_drained(task)) return;
  retiring_.erase(task);
  node_->routing.forget(task, node_->now());
  ports_->update();
  send_all(Retired{task});
}

void MeshServer::send_all(const ControlMessage& message) {
  for (const auto& channel : std::vector(channels_)) {
    channel->send(message);
  }
}

}  // namespace swarm::mesh
