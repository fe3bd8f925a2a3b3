#pragma once

#include <memory>
#include <string>

#include "api/client/client.h"
#include "security/identity.h"

namespace swarm::api {

// The control API at the network address of a manager, used as another manager. Connecting is lazy.
std::unique_ptr<Client> connect_tls(const std::string& address,
                                    const security::NodeCredentials& credentials,
                                    Duration deadline);

}  // namespace swarm::api
