#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include "base/time.h"
#include "model/ids.h"
#include "model/service.h"

namespace swarm::model {

// Of a node's certificate. Docker's default and least.
inline constexpr Duration kCertificateValidity = hours(24) * 90;
inline constexpr Duration kMinCertificateValidity = hours(1);
// How long after its expiry a node may still renew its certificate with its old key: a machine
// that was off for a month comes back by itself.
inline constexpr Duration kCertificateGrace = hours(24) * 30;

// The one object every swarm has.
struct Cluster {
  SwarmId id;
  Meta meta;

  // Finished tasks kept per slot, besides the live one.
  uint32_t task_history_limit = 5;
  // How often agents are heard, and how often they may be missed before they are lost.
  Duration heartbeat_period = seconds(1);
  uint32_t heartbeat_misses = 3;

  // Of the certificates that are signed from now on; nodes renew theirs before it has passed.
  Duration certificate_validity = kCertificateValidity;
  Duration certificate_grace = kCertificateGrace;
  std::string ca_certificate;  // PEM, of the root
  std::string ca_key;          // PEM; sealed in every file it is written to
  // The secret parts of the two join tokens; the public part is the digest of ca_certificate.
  std::string worker_token_secret;
  std::string manager_token_secret;

  // Nodes removed from the swarm: their certificates are refused.
  std::set<NodeId> removed_nodes;
  // Members removed from the Raft group: their ids never return.
  std::set<MemberId> removed_members;
  // How often the swarm lost its quorum or its managers for good and was taken up again from what
  // was left. Positions may have gone back each time: what compares them across leaderships counts
  // this first.
  uint64_t recoveries = 0;

  bool operator==(const Cluster&) const = default;
};

// How often agents are heard in a swarm of so many nodes, and how long one may be silent before the
// leader takes its node for lost.
struct HeartbeatTerms {
  Duration period{};
  uint32_t misses = 0;

  Duration patience() const { return period * misses; }
};

// The leader handles at most about a thousand heartbeats a second: the period grows with the nodes,
// those that are away included, since after a failover they all come at once.
inline constexpr Duration kHeartbeatCost = milliseconds(1);

inline HeartbeatTerms heartbeat_terms(const Cluster& cluster, size_t nodes) {
  return {std::max<Duration>(cluster.heartbeat_period, kHeartbeatCost * nodes),
          std::max(cluster.heartbeat_misses, 1u)};
}

}  // namespace swarm::model
