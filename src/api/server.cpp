#include "api/server.h"

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <boost/asio/ip/tcp.hpp>

#include <vector>

#include "api/callback_threads.h"
#include "api/client/deadline.h"
#include "api/client/limits.h"
#include "api/server/front_door.h"
#include "api/server/server_core.h"
#include "api/server/service_factories.h"
#include "api/server_credentials.h"
#include "platform/local_socket.h"
#include "security/tls/certificate.h"

namespace swarm::api {

namespace {

// sun_path holds this much, and gRPC's error for more says nothing.
constexpr size_t kMaxSocketPath = 107;

}  // namespace

struct Server::Impl {
  std::shared_ptr<ServerCore> core;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<FrontDoor> door;

  void add_control_services() {
    services.push_back(make_services_service(core));
    services.push_back(make_nodes_service(core));
    services.push_back(make_tasks_service(core));
    services.push_back(make_swarm_service(core));
  }

  bool start_local(const std::string& address) {
    grpc::ServerBuilder builder;
    int is_bound = 0;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &is_bound);
    return start(builder) && is_bound != 0;
  }

  // Once it has its door.
  bool start_network(CredentialsSource source) {
    credentials = std::make_shared<RenewableServerCredentials>(std::move(source));
    grpc::ServerBuilder builder;
    acceptor = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
    if (!start(builder)) {
      return false;
    }
    door->open(
        {.grpc = [this](FrontDoor::Tcp::socket socket) { hand_to_grpc(std::move(socket)); },
         .peer = [this](FrontDoor::Tcp::socket socket) { hand_to_manager(std::move(socket)); }});
    return true;
  }

 private:
  void hand_to_grpc(FrontDoor::Tcp::socket socket) {
    platform::tune_socket(socket, {.unacknowledged_milliseconds = kKeepaliveMs});
    platform::ErrorCode error;
    socket.native_non_blocking(true, error);
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = socket.release(error);
    acceptor->HandleNewConnection(&connection);
  }

  // Without a manager it is closed without a word: this node may be about to become one, and is
  // asked again.
  void hand_to_manager(FrontDoor::Tcp::socket socket) {
    if (const std::shared_ptr<Gateway> gateway = core->gateway()) {
      gateway->accept_peer(platform::take_off_loop(std::move(socket)));
    }
  }

  bool start(grpc::ServerBuilder& builder) {
    keep_callback_threads();
    for (const auto& service : services) {
      builder.RegisterService(service.get());
    }
    builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    // Nothing is sent compressed, and nobody asks what gRPC counts.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kKeepaliveMs / 4);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    server = builder.BuildAndStart();
    return server != nullptr;
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::listen_local(LocalNode& node,
                                                     const std::filesystem::path& socket,
                                                     CredentialsSource credentials,
                                                     Duration leader_budget) {
  if (socket.string().size() > kMaxSocketPath) {
    return absl::InvalidArgumentError("the socket path " + socket.string() + " has more than " +
                                      std::to_string(kMaxSocketPath) +
                                      " characters: choose a shorter one");
  }
  auto impl = std::make_unique<Impl>();
  impl->core =
      std::make_shared<ServerCore>(node, model::SwarmId(), std::move(credentials), leader_budget);
  impl->services.push_back(make_local_node_service(impl->core));
  impl->add_control_services();
  if (!impl->start_local("unix:" + socket.string())) {
    return absl::UnavailableError("cannot listen on the socket " + socket.string() +
                                  ": check that its folder exists and may be written to");
  }
  auto server = std::unique_ptr<Server>(new Server(std::move(impl)));
  SWARM_RETURN_IF_ERROR(platform::restrict_socket(socket));
  return server;
}

Result<std::unique_ptr<Server>> Server::listen_network(LocalNode& node, const std::string& address,
                                                       CredentialsSource credentials,
                                                       Duration leader_budget) {
  SWARM_ASSIGN_OR_RETURN(const security::PeerIdentity self,
                         security::identity_of(credentials()->certificate));
  auto impl = std::make_unique<Impl>();
  impl->core = std::make_shared<ServerCore>(node, self.swarm, credentials, leader_budget);
  impl->services.push_back(make_node_ca_service(impl->core));
  impl->services.push_back(make_raft_peer_service(impl->core));
  impl->services.push_back(make_dispatcher_service(impl->core));
  impl->add_control_services();
  Result<std::unique_ptr<FrontDoor>> door = FrontDoor::at(address);
  if (!door.ok()) {
    return absl::UnavailableError("cannot listen on " + address +
                                  ": the port is in use by another program, or the address is not "
                                  "of this machine; choose another with --listen-addr");
  }
  impl->door = *std::move(door);
  impl->core->set_strangers(impl->door->strangers());
  if (!impl->start_network(std::move(credentials))) {
    return absl::InternalError("the gRPC server cannot be started");
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() {
  impl_->door.reset();
  impl_->core->close();
  if (impl_->server != nullptr) {
    impl_->server->Shutdown(deadline_after(kShutdownGrace));
  }
}

uint16_t Server::port() const {
  return impl_->door == nullptr ? 0 : impl_->door->port();
}

}  // namespace swarm::api
