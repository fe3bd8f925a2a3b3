#include "api/server_credentials.h"

#include <grpc/grpc.h>

#include <utility>

namespace swarm::api {

RenewableServerCredentials::RenewableServerCredentials(CredentialsSource source)
    : source_(std::move(source)),
      credentials_(grpc_ssl_server_credentials_create_with_options(
          grpc_ssl_server_credentials_create_options_using_config_fetcher(
              GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY, &fetch, this))) {}

RenewableServerCredentials::~RenewableServerCredentials() {
  grpc_server_credentials_release(credentials_);
}

int RenewableServerCredentials::AddPortToServer(const std::string& address, grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

grpc_ssl_certificate_config_reload_status RenewableServerCredentials::fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  auto& credentials = *static_cast<RenewableServerCredentials*>(self);
  auto now = credentials.source_();
  // A node that is leaving has none any more; the server goes with it.
  if (now == nullptr || now == credentials.current_) {
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  }
  const grpc_ssl_pem_key_cert_pair pair{now->key.c_str(), now->certificate.c_str()};
  *config = grpc_ssl_server_certificate_config_create(now->ca_certificate.c_str(), &pair, 1);
  credentials.current_ = std::move(now);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace swarm::api
