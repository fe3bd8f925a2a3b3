#include "mesh/proxy/tls_identity.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/buffer.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace swarm::mesh {

namespace {

namespace ssl = boost::asio::ssl;

constexpr unsigned char kSessionContext[] = "swarm-mesh";

struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// A part of the subject's name; empty if it has none or more than one.
std::string subject_part(X509* certificate, int part) {
  const X509_NAME* name = X509_get_subject_name(certificate);
  const int index = X509_NAME_get_index_by_NID(name, part, -1);
  if (index < 0 || X509_NAME_get_index_by_NID(name, part, index) >= 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

// Places in an SSL and its context that are ours: Asio has taken the usual ones.
int peer_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int identity_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

TlsIdentity::TlsIdentity() : context_(ssl::context::tls) {}

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::make(const Credentials& credentials) {
  std::shared_ptr<TlsIdentity> identity(new TlsIdentity());
  SWARM_RETURN_IF_ERROR(identity->load(credentials));
  return identity;
}

Status TlsIdentity::load(const Credentials& credentials) {
  const auto failed = [](const char* what, const boost::system::error_code& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("the mesh cannot use the node's ", what, ": ", error.message()));
  };
  boost::system::error_code error;
  context_.use_certificate_chain(boost::asio::buffer(credentials.certificate), error);
  if (error) return failed("certificate", error);
  context_.use_private_key(boost::asio::buffer(credentials.key), ssl::context::pem, error);
  if (error) return failed("key", error);
  context_.add_certificate_authority(boost::asio::buffer(credentials.ca_certificate), error);
  if (error) return failed("trust root", error);
  context_.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  if (error) return failed("checks", error);

  SSL_CTX* native = context_.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
  SSL_CTX_set_session_id_context(native, kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_num_tickets(native, 1);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_ex_data(native, identity_index(), this);
  SSL_CTX_sess_set_new_cb(native, &TlsIdentity::on_new_session);

  X509* own = SSL_CTX_get0_certificate(native);
  swarm_ = model::SwarmId(subject_part(own, NID_organizationName));
  node_ = model::NodeId(subject_part(own, NID_commonName));
  if (swarm_.is_empty() || node_.is_empty()) {
    return absl::InvalidArgumentError("the node's certificate names no swarm or no node");
  }
  return absl::OkStatus();
}

Result<model::NodeId> TlsIdentity::check_peer(SSL* ssl, const model::NodeId& expected) const {
  const std::unique_ptr<X509, CertificateFree> certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return absl::PermissionDeniedError("the peer has no certificate");
  const std::string swarm = subject_part(certificate.get(), NID_organizationName);
  const std::string node = subject_part(certificate.get(), NID_commonName);
  if (swarm != swarm_.value() || node.empty()) {
    return absl::PermissionDeniedError("the peer is not a node of this swarm");
  }
  if (!expected.is_empty() && node != expected.value()) {
    return absl::PermissionDeniedError(
        absl::StrCat("the peer is node ", node, " instead of ", expected.value()));
  }
  return model::NodeId(node);
}

void TlsIdentity::resume(SSL* ssl, model::NodeId& peer) {
  SSL_set_ex_data(ssl, peer_index(), &peer);
  // A ticket is used once: the handshake brings the next.
  if (const auto found = sessions_.find(peer); found != sessions_.end()) {
    SSL_set_session(ssl, found->second.get());
    sessions_.erase(found);
  }
}

int TlsIdentity::on_new_session(SSL* ssl, SSL_SESSION* session) {
  const auto* peer = static_cast<const model::NodeId*>(SSL_get_ex_data(ssl, peer_index()));
  auto* identity =
      static_cast<TlsIdentity*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), identity_index()));
  if (peer == nullptr || identity == nullptr) return 0;  // we are the server: not ours to keep
  identity->sessions_[*peer].reset(session);
  return 1;
}

}  // namespace swarm::mesh
