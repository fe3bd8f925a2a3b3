#pragma once

#include <memory>

#include "agent/dispatcher_client.h"
#include "api/credentials_source.h"
#include "base/event_loop.h"

namespace swarm::api {

// Streams to dispatchers over gRPC with mutual TLS. All events come on `loop`, the agent's.
std::unique_ptr<agent::DispatcherClient> make_dispatcher_client(EventLoop& loop,
                                                                CredentialsSource credentials);

}  // namespace swarm::api
