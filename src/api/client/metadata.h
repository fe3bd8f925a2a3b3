#pragma once

// Names of what travels beside a message.
namespace swarm::api {

// ---- of a request that one manager passes on to another: believed only of managers ----
inline constexpr char kForwardedKey[] = "swarm-forwarded";  // "1": never to be passed on again
inline constexpr char kNodeKey[] = "swarm-node";            // the node that asks
// Of a write: its number, by which it is known when it comes again (model::RequestId) ...
inline constexpr char kRequestKey[] = "swarm-request";
// ... and, when it may have been carried out before, a position that was committed at first.
inline constexpr char kRepeatedSinceKey[] = "swarm-repeated-since";

// ---- of an answer ----
// "1": the answer is that of a server of ours, not of gRPC about a broken connection.
inline constexpr char kAnswerKey[] = "swarm-answer";
// "1": this manager does not lead and has done nothing.
inline constexpr char kNotLeaderKey[] = "swarm-not-leader";
inline constexpr char kLeaderKey[] = "swarm-leader";  // address of the leader, where known
// "1": the caller's node was removed from the swarm, and that is committed.
inline constexpr char kRemovedKey[] = "swarm-removed";

}  // namespace swarm::api
