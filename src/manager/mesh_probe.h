#pragma once

#include "api/credentials_source.h"
#include "base/asio_loop.h"
#include "dispatcher/dispatcher.h"

namespace swarm::manager {

// Finds out whether the mesh of a node serves: by a TLS handshake as another mesh would make it, so
// that neither a listening socket without its process nor another program counts. Connects on
// `sockets`; answers on `control`. Both must outlive it.
dispatcher::MeshProbe make_mesh_probe(AsioLoop& sockets, EventLoop& control,
                                      api::CredentialsSource credentials);

}  // namespace swarm::manager
