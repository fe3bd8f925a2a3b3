#pragma once

#include <filesystem>

#include "base/result.h"

namespace swarm::platform {

// Lets only the owner and the group of the socket file at `path` connect (mode 0660).
Status restrict_socket(const std::filesystem::path& path);

// Lets only the owner connect (mode 0600): for sockets over which secrets are sent.
Status make_socket_private(const std::filesystem::path& path);

}  // namespace swarm::platform
