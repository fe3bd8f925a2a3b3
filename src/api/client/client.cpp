#include "api/client/client.h"

#include "api/client/grpc_client.h"
#include "api/client/local_channel.h"

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

}  // namespace swarm::api
