#pragma once

#include <cstddef>

#include "base/time.h"

// Bounds of what goes over a connection, in one place.
namespace swarm::api {

// A request, or one message of a stream to a manager. Well over what Raft sends at once (1 MiB of
// entries, or a single one of 1.5 MiB) and a spec may have (1 MiB).
inline constexpr int kMaxRequestBytes = 4 << 20;
// A reply, or one message of a stream to an agent: lists, and the first assignment set of a
// session.
inline constexpr int kMaxReplyBytes = 64 << 20;
// The sentence of an error travels in the trailer; gRPC's default bound there is 8 KiB.
inline constexpr size_t kMaxErrorBytes = 4096;
inline constexpr int kMaxMetadataBytes = 64 << 10;

// What may wait for one agent that does not read: then its session ends and a new one begins.
inline constexpr size_t kMaxSessionQueueBytes = 64 << 20;
// What may wait for one peer: then messages are dropped, and Raft sends again.
inline constexpr size_t kMaxPeerQueueBytes = 16 << 20;

// An answer from a swarm without a leader: under the five seconds that are promised.
inline constexpr Duration kLeaderBudget = milliseconds(4'700);
// A caller's own deadline is met by this much.
inline constexpr Duration kAnswerAhead = milliseconds(200);
// On top of it: a membership change waits for the new member to be heard of.
inline constexpr Duration kMembershipExtra = seconds(15);
// Between two looks for a leader.
inline constexpr Duration kLeaderRetry = milliseconds(50);

// Connections to the swarm port whose first words are not there yet; more are turned away, in all
// and from one address. Each costs a descriptor.
inline constexpr int kMaxWaiting = 1024;
inline constexpr int kMaxWaitingOfHost = 128;
// Connections of gRPC of whom it is not known yet which node they are of; more wait. Each costs
// what TLS and HTTP/2 take, some 100 KiB: 51 MiB in all.
inline constexpr int kMaxStrangers = 512;
inline constexpr int kMaxStrangersOfHost = 64;
// First for the first words, then for the rest of the handshake.
inline constexpr int kGreetingMs = 2'000;
inline constexpr int kHandshakeMs = 3'000;
// A connection on which no node has shown itself is ended after this: a node that joins needs one
// answer of the leader.
inline constexpr int kStrangerLifeMs = 10'000;
// Connections to a manager that have not shown yet that they are of one; more are turned away, in
// all and from one address.
inline constexpr int kMaxUnsettledPeers = 256;
inline constexpr int kMaxUnsettledPeersOfHost = 32;

// Between two attempts to reach a peer: doubles from the first to the second.
inline constexpr Duration kMinPeerRetry = milliseconds(50);
inline constexpr Duration kMaxPeerRetry = milliseconds(500);

// A connection without an answer to a ping for this long is dead.
inline constexpr int kKeepaliveMs = 2'000;
// A connection attempt may take this long: TLS over a slow line.
inline constexpr int kConnectTimeoutMs = 2'000;
inline constexpr int kMinBackoffMs = 100;  // gRPC allows no less
inline constexpr int kMaxBackoffMs = 500;

// A server that stops gives the calls it serves this long.
inline constexpr Duration kShutdownGrace = milliseconds(500);

}  // namespace swarm::api
