#include "manager/enter_swarm.h"

#include <utility>

#include "api/join_client.h"
#include "control/recovery.h"
#include "control/swarm.h"
#include "security/join_token.h"
#include "security/tls/certificate.h"
#include "security/tls/certificate_authority.h"
#include "security/tls/fetch_root.h"
#include "security/tls/random_secret.h"

namespace swarm::manager {

namespace {

NodeRecord record_of(const SwarmAddresses& addresses) {
  NodeRecord record;
  record.listen_address = addresses.listen.text();
  record.advertise_address = addresses.advertise.text();
  return record;
}

model::Cluster cluster_of(const model::SwarmId& swarm, const security::RootCertificate& root) {
  model::Cluster cluster;
  cluster.id = swarm;
  cluster.ca_certificate = root.certificate;
  cluster.ca_key = root.key;
  cluster.worker_token_secret = security::random_secret();
  cluster.manager_token_secret = security::random_secret();
  return cluster;
}

// A node that is the only manager of a swarm with this root; `first` is still to be set.
Result<NewSwarm> make_only_manager(const SwarmAddresses& addresses, const model::Cluster& cluster,
                                   WallTime now, Random& random) {
  NewSwarm swarm;
  swarm.record = record_of(addresses);
  swarm.record.role = model::Role::manager;
  swarm.record.swarm = cluster.id;
  swarm.record.node = model::NodeId(random_id(random));
  swarm.record.member = model::MemberId((random.next() >> 1) | 1);
  swarm.record.managers = {swarm.record.advertise_address};

  const security::RootCertificate root{cluster.ca_certificate, cluster.ca_key};
  SWARM_ASSIGN_OR_RETURN(swarm.credentials.key, security::make_key());
  SWARM_ASSIGN_OR_RETURN(const std::string request, security::make_request(swarm.credentials.key));
  const security::PeerIdentity identity{swarm.record.node, model::Role::manager,
                                        swarm.record.swarm};
  SWARM_ASSIGN_OR_RETURN(
      swarm.credentials.certificate,
      security::sign(request, root, identity, now, cluster.certificate_validity));
  swarm.credentials.ca_certificate = root.certificate;

  SWARM_ASSIGN_OR_RETURN(JoinTokens tokens, join_tokens_of(cluster));
  swarm.worker_token = std::move(tokens.worker);
  swarm.manager_token = std::move(tokens.manager);
  return swarm;
}

model::Node node_of(const NodeRecord& record) {
  model::Node node;
  node.id = record.node;
  node.role = node.spec.role = model::Role::manager;
  node.manager = model::ManagerStatus{record.member, record.advertise_address};
  return node;
}

}  // namespace

Result<JoinTokens> join_tokens_of(const model::Cluster& cluster) {
  SWARM_ASSIGN_OR_RETURN(const std::string digest, security::digest_of(cluster.ca_certificate));
  return JoinTokens{security::format_join_token({digest, cluster.worker_token_secret}),
                    security::format_join_token({digest, cluster.manager_token_secret})};
}

Result<NewSwarm> make_swarm(const SwarmAddresses& addresses, model::Availability availability,
                            const CertificateTimes& certificates, WallTime now, Random& random) {
  const model::SwarmId id(random_id(random));
  SWARM_ASSIGN_OR_RETURN(const security::RootCertificate root, security::make_root(id, now));
  model::Cluster cluster = cluster_of(id, root);
  cluster.certificate_validity = certificates.validity;
  cluster.certificate_grace = certificates.grace;
  SWARM_ASSIGN_OR_RETURN(NewSwarm swarm, make_only_manager(addresses, cluster, now, random));
  model::Node first = node_of(swarm.record);
  first.spec.availability = availability;
  swarm.first = [cluster = std::move(cluster), first = std::move(first)](
                    const state::View& view, WallTime at, Random& chance) {
    return control::create_cluster({view, at, chance}, cluster, first);
  };
  return swarm;
}

Result<NewSwarm> take_up_swarm(const SwarmAddresses& addresses, const model::Cluster& cluster,
                               WallTime now, Random& random) {
  SWARM_ASSIGN_OR_RETURN(NewSwarm swarm, make_only_manager(addresses, cluster, now, random));
  swarm.first = [self = node_of(swarm.record)](const state::View& view, WallTime at,
                                               Random& chance) {
    return control::recover_swarm({view, at, chance}, self);
  };
  return swarm;
}

Result<Admission> ask_for_admission(const api::LocalNode::JoinOptions& options,
                                    const SwarmAddresses& addresses) {
  SWARM_ASSIGN_OR_RETURN(const security::JoinToken token,
                         security::parse_join_token(options.token));
  SWARM_ASSIGN_OR_RETURN(const HostPort manager,
                         parse_host_port(options.manager_address, kSwarmPort));
  Admission admission;
  SWARM_ASSIGN_OR_RETURN(admission.credentials.ca_certificate,
                         security::fetch_root(manager.text(), token.digest, kJoinTimeout));
  SWARM_ASSIGN_OR_RETURN(admission.credentials.key, security::make_key());
  SWARM_ASSIGN_OR_RETURN(const std::string request,
                         security::make_request(admission.credentials.key));
  SWARM_ASSIGN_OR_RETURN(
      const api::Gateway::IssuedCertificate issued,
      api::issue_certificate(manager.text(), admission.credentials.ca_certificate, token.secret,
                             request, options.availability, kJoinTimeout));
  admission.credentials.certificate = issued.certificate;
  admission.record = record_of(addresses);
  admission.record.swarm = issued.swarm;
  admission.record.node = issued.node;
  admission.record.role = issued.role;
  admission.record.managers = {manager.text()};
  return admission;
}

}  // namespace swarm::manager
