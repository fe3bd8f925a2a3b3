#include "mesh/proxy/tls_identity.h"

#include <openssl/ssl.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "security/tls/certificate.h"
#include "security/tls/mutual_tls.h"

namespace swarm::mesh {

namespace {

constexpr unsigned char kSessionContext[] = "swarm-mesh";

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

TlsIdentity::TlsIdentity(boost::asio::ssl::context context, const security::PeerIdentity& self)
    : context_(std::move(context)), self_(self) {
  SSL_CTX* native = context_.native_handle();
  SSL_CTX_set_session_id_context(native, kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_num_tickets(native, 1);
  SSL_CTX_set_ex_data(native, identity_index(), this);
  SSL_CTX_sess_set_new_cb(native, &TlsIdentity::on_new_session);
}

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::make(const Credentials& credentials) {
  SWARM_ASSIGN_OR_RETURN(const security::PeerIdentity self,
                         security::identity_of(credentials.certificate));
  SWARM_ASSIGN_OR_RETURN(boost::asio::ssl::context context,
                         security::mutual_tls_context({.ca_certificate = credentials.ca_certificate,
                                                       .certificate = credentials.certificate,
                                                       .key = credentials.key}));
  return std::shared_ptr<TlsIdentity>(new TlsIdentity(std::move(context), self));
}

Result<model::NodeId> TlsIdentity::check_peer(SSL* ssl, const model::NodeId& expected) const {
  SWARM_ASSIGN_OR_RETURN(const security::PeerIdentity peer, security::identity_of_peer(ssl));
  if (peer.swarm != self_.swarm) {
    return absl::PermissionDeniedError("the peer is not a node of this swarm");
  }
  if (!expected.is_empty() && peer.node != expected) {
    return absl::PermissionDeniedError(
        absl::StrCat("the peer is node ", peer.node.value(), " instead of ", expected.value()));
  }
  return peer.node;
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
