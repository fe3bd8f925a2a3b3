#include "api/tls_client.h"

#include "api/channel.h"
#include "api/client/grpc_client.h"

namespace swarm::api {

std::unique_ptr<Client> connect_tls(const std::string& address,
                                    const security::NodeCredentials& credentials,
                                    Duration deadline) {
  return std::make_unique<GrpcClient>(
      ClientConnection(make_tls_channel(address, credentials), address, deadline));
}

}  // namespace swarm::api
