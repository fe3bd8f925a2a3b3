#include "api/client.h"

#include "api/channel.h"
#include "api/clients/grpc_client.h"

namespace swarm::api {

std::unique_ptr<Client> Client::connect(const std::string& endpoint, Duration deadline) {
  static constexpr std::string_view kUnix = "unix:";
  Result<std::shared_ptr<grpc::Channel>> channel = absl::InvalidArgumentError(
      "'" + endpoint + "' is not an endpoint: write unix:/run/swarmd/swarmd.sock");
  std::string path;
  if (endpoint.starts_with(kUnix) && endpoint.size() > kUnix.size()) {
    path = endpoint.substr(kUnix.size());
    channel = make_local_channel(path);
  }
  return std::make_unique<GrpcClient>(
      ClientConnection(std::move(channel), std::move(path), deadline));
}

std::unique_ptr<Client> Client::connect_tls(const std::string& address,
                                            const security::NodeCredentials& credentials,
                                            Duration deadline) {
  return std::make_unique<GrpcClient>(
      ClientConnection(make_tls_channel(address, credentials), address, deadline));
}

}  // namespace swarm::api
