#include "security/tls/fetch_root.h"

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include "base/secret.h"
#include "platform/tcp_address.h"
#include "security/tls/openssl.h"

namespace swarm::security {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

// One connection attempt: resolve, connect, handshake. Each step starts the next one.
class Handshake {
 public:
  explicit Handshake(platform::TcpAddress target)
      : target_(std::move(target)), resolver_(io_), stream_(io_, tls_) {
    // Whose certificate it is, is decided by the digest alone.
    stream_.set_verify_mode(asio::ssl::verify_none);
    // gRPC servers refuse a client that does not speak HTTP/2.
    static constexpr unsigned char kProtocols[] = {2, 'h', '2'};
    SSL_set_alpn_protos(stream_.native_handle(), kProtocols, sizeof kProtocols);
  }

  // The error of the step that failed, timed_out when it took longer.
  Error run(Duration timeout) {
    resolver_.async_resolve(target_.host, target_.port,
                            [this](const Error& error, const tcp::resolver::results_type& found) {
                              resolved(error, found);
                            });
    io_.run_for(timeout);
    return outcome_;
  }

  SSL* ssl() { return stream_.native_handle(); }

 private:
  void resolved(const Error& error, const tcp::resolver::results_type& found) {
    if (error) {
      outcome_ = error;
      return;
    }
    asio::async_connect(
        stream_.next_layer(), found,
        [this](const Error& connect_error, const tcp::endpoint&) { connected(connect_error); });
  }

  void connected(const Error& error) {
    if (error) {
      outcome_ = error;
      return;
    }
    stream_.async_handshake(asio::ssl::stream_base::client,
                            [this](const Error& handshake_error) { outcome_ = handshake_error; });
  }

  platform::TcpAddress target_;
  asio::io_context io_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  tcp::resolver resolver_;
  asio::ssl::stream<tcp::socket> stream_;
  Error outcome_ = asio::error::timed_out;
};

// NOT_FOUND when no presented certificate has the digest.
Result<std::string> find_root(SSL* ssl, const std::string& expected_digest) {
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  const int count = chain == nullptr ? 0 : sk_X509_num(chain);
  for (int i = 0; i < count; ++i) {
    X509* certificate = sk_X509_value(chain, i);
    SWARM_ASSIGN_OR_RETURN(const std::string digest, openssl::digest_of(certificate));
    if (equal_secrets(digest, expected_digest)) {
      return openssl::write_certificate(certificate);
    }
  }
  return absl::NotFoundError("no certificate has the digest");
}

}  // namespace

Result<std::string> fetch_root(const std::string& address, const std::string& expected_digest,
                               Duration timeout) {
  SWARM_ASSIGN_OR_RETURN(platform::TcpAddress target, platform::split_tcp_address(address));
  const std::string host = target.host;
  std::unique_ptr<Handshake> handshake;
  try {
    handshake = std::make_unique<Handshake>(std::move(target));
  } catch (const boost::system::system_error& error) {
    return absl::InternalError(std::string("TLS cannot be used: ") + error.what());
  }
  if (const Error error = handshake->run(timeout)) {
    return absl::UnavailableError("no manager can be reached at " + address + " (" +
                                  error.message() +
                                  "): check the address, and that the manager runs");
  }
  Result<std::string> root = find_root(handshake->ssl(), expected_digest);
  if (absl::IsNotFound(root.status())) {
    return absl::FailedPreconditionError(
        "the certificate of " + host +
        " does not match the token: the token is of another swarm, or something else answers at "
        "that address; the secret was not sent");
  }
  return root;
}

}  // namespace swarm::security
