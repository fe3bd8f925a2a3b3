#include "api/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "api/client/limits.h"
#include "api/client/local_channel.h"
#include "security/tls/names.h"

namespace swarm::api {

namespace {

// Addresses come and go with managers; more than this is somebody's mistake.
constexpr size_t kMaxChannels = 64;

bool is_ipv4(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

std::string target_of(const std::string& address) {
  if (address.starts_with('[')) {
    return "ipv6:" + address;
  }
  return (is_ipv4(address.substr(0, address.rfind(':'))) ? "ipv4:" : "dns:///") + address;
}

std::shared_ptr<grpc::Channel> make_tls_channel(const std::string& address,
                                                const security::NodeCredentials& credentials) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = credentials.ca_certificate;
  options.pem_cert_chain = credentials.certificate;
  options.pem_private_key = credentials.key;
  grpc::ChannelArguments arguments = common_arguments();
  arguments.SetSslTargetNameOverride(security::kManagerName);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kMinBackoffMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxBackoffMs);
  return grpc::CreateCustomChannel(target_of(address), grpc::SslCredentials(options), arguments);
}

ChannelCache::ChannelCache(CredentialsSource credentials) : credentials_(std::move(credentials)) {}

Result<std::shared_ptr<grpc::Channel>> ChannelCache::get(const std::string& address) {
  const auto credentials = credentials_();
  if (credentials == nullptr) {
    return absl::FailedPreconditionError("this node has no certificate of a swarm");
  }
  const std::lock_guard lock(mutex_);
  if (credentials != current_ || channels_.size() >= kMaxChannels) {
    channels_.clear();
    current_ = credentials;
  }
  std::shared_ptr<grpc::Channel>& channel = channels_[address];
  if (channel == nullptr) {
    channel = make_tls_channel(address, *credentials);
  }
  return channel;
}

}  // namespace swarm::api
