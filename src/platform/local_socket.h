#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace swarm::platform {

// Makes the folder of a socket, with its parents, if it is not there: anybody may look into it, the
// socket in it has a mode of its own. PERMISSION_DENIED names the cure.
Status make_socket_folder(const std::filesystem::path& folder);

// Lets only the owner and the group of the socket file at `path` connect (mode 0660).
Status restrict_socket(const std::filesystem::path& path);

// Lets only the owner connect (mode 0600): for sockets over which secrets are sent.
Status make_socket_private(const std::filesystem::path& path);

// The process at the other end of a connected local socket; 0 when that is not known.
int64_t peer_of(int socket);

// Whether the process was started from another file than this one, as after an upgrade. False when
// that is not known.
bool is_of_other_build(int64_t pid);

}  // namespace swarm::platform
