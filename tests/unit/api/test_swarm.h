#pragma once

#include <memory>
#include <string>

#include "api/credentials_source.h"
#include "model/ids.h"
#include "model/node.h"
#include "security/identity.h"
#include "security/tls/certificate_authority.h"

namespace swarm::api {

// A swarm's CA, for tests that need certificates of its nodes.
class TestSwarm {
 public:
  explicit TestSwarm(const std::string& id = "swarm1");
  // Another swarm whose certificates the same root signs.
  TestSwarm(const std::string& id, security::RootCertificate root);

  const model::SwarmId& id() const { return id_; }
  const security::RootCertificate& root() const { return root_; }
  std::string digest() const;

  std::shared_ptr<const security::NodeCredentials> credentials(const std::string& node,
                                                               model::Role role) const;
  CredentialsSource source(const std::string& node, model::Role role) const;
  // Signs a request as the leader would.
  std::string sign(const std::string& request, const std::string& node, model::Role role) const;

 private:
  model::SwarmId id_;
  security::RootCertificate root_;
};

// An address on loopback where nobody listens.
std::string closed_address();

}  // namespace swarm::api
