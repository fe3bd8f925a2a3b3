#pragma once

namespace swarm::api {

// What gRPC has to say goes to our log from now on, not bare to stderr. Call it before anything of
// gRPC is used.
void route_grpc_log();

}  // namespace swarm::api
