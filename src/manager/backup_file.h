#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "model/ids.h"

// A swarm in one file (docs/formats/backup.md): what it is of, then the chunks of a snapshot of the
// store, the certificate authority and its key among it, and a checksum over all. Private to its
// owner, and to be kept like a private key. Blocking; off the loops of a manager.
namespace swarm::manager {

struct BackupHeader {
  model::SwarmId swarm;
  uint64_t raft_index = 0;  // of the log the snapshot was taken from
  uint64_t raft_term = 0;
  model::Position position = 0;
  std::string version;  // of the swarmd that wrote it

  bool operator==(const BackupHeader&) const = default;
};

struct Backup {
  BackupHeader header;
  std::vector<std::string> chunks;
};

// Writes beside `path` and gives the file its name when it is whole and durable: what was there
// before stays until then. `next_chunk` yields an empty one at the end. Gives the size. The errors
// name the path; RESOURCE_EXHAUSTED on a full disk.
Result<uint64_t> write_backup(FileSystem& files, const std::filesystem::path& path,
                              const BackupHeader& header,
                              const std::function<std::string()>& next_chunk);

// The whole file, checked. NOT_FOUND when there is none; INVALID_ARGUMENT when it is something else
// than a backup, or of a later format; DATA_LOSS when it is damaged or cut short.
Result<Backup> read_backup(FileSystem& files, const std::filesystem::path& path);

}  // namespace swarm::manager
