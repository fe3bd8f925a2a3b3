#pragma once

namespace swarm::api {

// What a process sets before it uses anything of gRPC: what gRPC has to say goes to our log, not
// bare to stderr, and its locks do not look for deadlocks.
void set_up_grpc();

}  // namespace swarm::api
