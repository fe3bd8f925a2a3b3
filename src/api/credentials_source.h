#pragma once

#include <functional>
#include <memory>

#include "security/identity.h"

namespace swarm::api {

// What the node proves its identity with at this moment; null while it is in no swarm. A renewal
// gives another object. From any thread.
using CredentialsSource = std::function<std::shared_ptr<const security::NodeCredentials>()>;

}  // namespace swarm::api
