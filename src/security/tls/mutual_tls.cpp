#include "security/tls/mutual_tls.h"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>

#include "security/tls/openssl.h"

namespace swarm::security {

namespace ssl = boost::asio::ssl;

Result<ssl::context> mutual_tls_context(const NodeCredentials& credentials) {
  const auto failed = [](const char* what, const boost::system::error_code& error) {
    return absl::InvalidArgumentError(std::string("the node's ") + what +
                                      " cannot be used for TLS: " + error.message());
  };
  ssl::context context(ssl::context::tls);
  boost::system::error_code error;
  context.use_certificate_chain(boost::asio::buffer(credentials.certificate), error);
  if (error) return failed("certificate", error);
  context.use_private_key(boost::asio::buffer(credentials.key), ssl::context::pem, error);
  if (error) return failed("key", error);
  context.add_certificate_authority(boost::asio::buffer(credentials.ca_certificate), error);
  if (error) return failed("trust root", error);
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  if (error) return failed("checks", error);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(context.native_handle(), 0);
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Result<PeerIdentity> identity_of_peer(const SSL* connection) {
  const openssl::CertificatePtr certificate(SSL_get1_peer_certificate(connection));
  if (certificate == nullptr) {
    return absl::PermissionDeniedError("the peer has no certificate");
  }
  Result<PeerIdentity> identity = openssl::identity_of(certificate.get());
  if (!identity.ok()) {
    return absl::PermissionDeniedError(identity.status().message());
  }
  return identity;
}

}  // namespace swarm::security
