#pragma once

#include <boost/asio/ssl/context.hpp>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "mesh/control_message.h"
#include "model/ids.h"
#include "security/identity.h"

namespace swarm::mesh {

// Who this node is to other meshes: certificate, key and trust root in one TLS context for both
// directions, TLS 1.3 only. Remembers sessions by peer, so that a second link costs no signature.
// Fixed once made; new credentials are a new identity. On the loop of the mesh.
class TlsIdentity {
 public:
  // INVALID_ARGUMENT when they do not fit together.
  static Result<std::shared_ptr<TlsIdentity>> make(const Credentials& credentials);

  boost::asio::ssl::context& context() { return context_; }
  const model::NodeId& node() const { return self_.node; }

  // After the handshake has checked the chain: who the peer is, a node of the same swarm and the
  // expected one unless that is empty. PERMISSION_DENIED otherwise.
  Result<model::NodeId> check_peer(SSL* ssl, const model::NodeId& expected) const;

  // Before a handshake as client: resume a session with the node, and remember the next one.
  // `peer` must live as long as `ssl`.
  void resume(SSL* ssl, model::NodeId& peer);

 private:
  struct SessionFree {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };

  TlsIdentity(boost::asio::ssl::context context, const security::PeerIdentity& self);
  static int on_new_session(SSL* ssl, SSL_SESSION* session);

  boost::asio::ssl::context context_;
  const security::PeerIdentity self_;
  std::map<model::NodeId, std::unique_ptr<SSL_SESSION, SessionFree>> sessions_;
};

}  // namespace swarm::mesh
