#include "api/server.h"

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <vector>

#include "api/callback_threads.h"
#include "api/client/deadline.h"
#include "api/client/limits.h"
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
  int port = 0;

  void add_control_services() {
    services.push_back(make_services_service(core));
    services.push_back(make_nodes_service(core));
    services.push_back(make_tasks_service(core));
    services.push_back(make_swarm_service(core));
  }

  bool start(const std::string& address) {
    keep_callback_threads();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, credentials, &port);
    for (const auto& service : services) {
      builder.RegisterService(service.get());
    }
    builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    // Nothing is sent compressed, and nobody asks what gRPC counts.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
    // Otherwise two daemons could share a port without noticing.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kKeepaliveMs / 4);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    server = builder.BuildAndStart();
    return server != nullptr && port != 0;
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
  impl->credentials = grpc::InsecureServerCredentials();
  if (!impl->start("unix:" + socket.string())) {
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
  impl->credentials = std::make_shared<RenewableServerCredentials>(std::move(credentials));
  impl->services.push_back(make_node_ca_service(impl->core));
  impl->services.push_back(make_raft_peer_service(impl->core));
  impl->services.push_back(make_dispatcher_service(impl->core));
  impl->add_control_services();
  if (!impl->start(address)) {
    return absl::UnavailableError("cannot listen on " + address +
                                  ": the port is in use by another program, or the address is not "
                                  "of this machine; choose another with --listen-addr");
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() {
  impl_->core->close();
  if (impl_->server != nullptr) {
    impl_->server->Shutdown(deadline_after(kShutdownGrace));
  }
}

uint16_t Server::port() const {
  return static_cast<uint16_t>(impl_->port);
}

}  // namespace swarm::api
