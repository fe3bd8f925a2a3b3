#pragma once

// Names of what travels beside a message.
namespace swarm::api {

// ---- of a request that one manager passes on to another: believed only of managers ----
inline constexpr char kForwardedKey[] = "swarm-forwarded";  // "1": never to be passed on again
inline constexpr char kNodeKey[] = "swarm-node";            // the node that asks

// ---- of an answer ----
// "1": the answer is that of a server of ours, not of gRPC about a broken connection.
inline constexpr char kAnswerKey[] = "swarm-answer";
// "1": this manager does not lead and has done nothing.
inline constexpr char kNotLeaderKey[] = "swarm-not-leader";
inline constexpr char kLeaderKey[] = "swarm-leader";  // address of the leader, where known

}  // namespace swarm::api
