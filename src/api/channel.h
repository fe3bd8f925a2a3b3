#pragma once

#include <grpcpp/channel.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/credentials_source.h"
#include "base/result.h"

namespace swarm::api {

// The gRPC name of "10.0.0.5:2377": literal addresses go without a resolver.
std::string target_of(const std::string& address);

// A connection to a manager over TLS: it must show a manager's certificate under the root. Without
// `credentials.certificate` this side shows none (a joining node). Connecting is lazy.
std::shared_ptr<grpc::Channel> make_tls_channel(const std::string& address,
                                                const security::NodeCredentials& credentials);

// One channel per address, made with the node's credentials and made anew when those change. From
// any thread.
class ChannelCache {
 public:
  explicit ChannelCache(CredentialsSource credentials);

  // FAILED_PRECONDITION while the node has no credentials.
  Result<std::shared_ptr<grpc::Channel>> get(const std::string& address);

 private:
  const CredentialsSource credentials_;
  std::mutex mutex_;
  std::shared_ptr<const security::NodeCredentials> current_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace swarm::api
