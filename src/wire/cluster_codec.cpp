#include "wire/cluster_codec.h"

#include "wire/fields.h"

namespace swarm::wire {

void encode(const model::Cluster& cluster, v1::Cluster* out) {
  out->set_id(cluster.id.value());
  encode(cluster.meta, out->mutable_meta());
  out->set_task_history_limit(cluster.task_history_limit);
  out->set_heartbeat_period_ns(to_ns(cluster.heartbeat_period));
  out->set_heartbeat_misses(cluster.heartbeat_misses);
  out->set_certificate_validity_ns(to_ns(cluster.certificate_validity));
  out->set_certificate_grace_ns(to_ns(cluster.certificate_grace));
  out->set_ca_certificate(cluster.ca_certificate);
  out->set_ca_key(cluster.ca_key);
  out->set_worker_token_secret(cluster.worker_token_secret);
  out->set_manager_token_secret(cluster.manager_token_secret);
  for (const model::NodeId& node : cluster.removed_nodes) {
    out->add_removed_nodes(node.value());
  }
  for (const model::MemberId& member : cluster.removed_members) {
    out->add_removed_members(member.value());
  }
  out->set_recoveries(cluster.recoveries);
}

Result<model::Cluster> decode(const v1::Cluster& in) {
  model::Cluster cluster;
  cluster.id = model::SwarmId(in.id());
  cluster.meta = decode(in.meta());
  cluster.task_history_limit = in.task_history_limit();
  cluster.heartbeat_period = duration_of(in.heartbeat_period_ns());
  cluster.heartbeat_misses = in.heartbeat_misses();
  if (in.certificate_validity_ns() != 0) {
    cluster.certificate_validity = duration_of(in.certificate_validity_ns());
  }
  if (in.certificate_grace_ns() != 0) {
    cluster.certificate_grace = duration_of(in.certificate_grace_ns());
  }
  cluster.ca_certificate = in.ca_certificate();
  cluster.ca_key = in.ca_key();
  cluster.worker_token_secret = in.worker_token_secret();
  cluster.manager_token_secret = in.manager_token_secret();
  for (const std::string& node : in.removed_nodes()) {
    cluster.removed_nodes.emplace(node);
  }
  for (uint64_t member : in.removed_members()) {
    cluster.removed_members.emplace(member);
  }
  cluster.recoveries = in.recoveries();
  return cluster;
}

}  // namespace swarm::wire
