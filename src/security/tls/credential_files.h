#pragma once

#include <filesystem>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "security/identity.h"

// What a node keeps secret in its state folder. Every file is private to its owner and replaced
// atomically. Blocking; not on a loop.
namespace swarm::security {

// One file holds all of it, so that a crash never leaves a key beside the certificate of another.
Status save_credentials(FileSystem& files, const std::filesystem::path& directory,
                        const NodeCredentials& credentials);
// NOT_FOUND when the node has none. DATA_LOSS when the file does not hold a key with its
// certificate and root.
Result<NodeCredentials> load_credentials(FileSystem& files, const std::filesystem::path& directory);

// The key that seals this node's log and snapshots (AesGcm). NOT_FOUND when the node has none yet,
// DATA_LOSS when the file does not hold one.
Result<std::string> load_data_key(FileSystem& files, const std::filesystem::path& directory);
// The same, made at the first call.
Result<std::string> load_or_make_data_key(FileSystem& files,
                                          const std::filesystem::path& directory);

}  // namespace swarm::security
