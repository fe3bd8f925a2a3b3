#pragma once

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "api/credentials_source.h"

namespace swarm::api {

// TLS credentials of a server that takes its certificate anew from `source` for each handshake, so
// that a renewed one needs no restart and cuts no connection. gRPC has this in its C interface
// only. A caller need not show a certificate: what each method needs is checked at the door.
//
// Must outlive the server. gRPC's threads.
class RenewableServerCredentials final : public grpc::ServerCredentials {
 public:
  explicit RenewableServerCredentials(CredentialsSource source);
  ~RenewableServerCredentials() override;

  // We have none: who calls is read from the certificate.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  static grpc_ssl_certificate_config_reload_status fetch(
      void* self, grpc_ssl_server_certificate_config** config);

  const CredentialsSource source_;
  // The one gRPC has. It asks under a lock of its own.
  std::shared_ptr<const security::NodeCredentials> current_;
  grpc_server_credentials* const credentials_;
};

}  // namespace swarm::api
