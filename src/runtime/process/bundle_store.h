#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "runtime/process/manifest.h"

namespace swarm::runtime {

// The image of a process: a folder with a manifest and what it needs.
struct Bundle {
  std::filesystem::path directory;
  Manifest manifest;
};

// Finds bundles by image name. "web:1.0" is DIR/web/1.0, "team/web" is DIR/team/web/latest, in the
// first of the directories that has it. Reads the disk at each call: a bundle can be added at any
// time. Not thread-safe.
class BundleStore {
 public:
  BundleStore(FileSystem& files, std::vector<std::filesystem::path> directories);

  // NOT_FOUND, with what there is instead; FAILED_PRECONDITION for a name that no bundle can have
  // and for a bad manifest.
  Result<Bundle> find(const std::string& image) const;

 private:
  // "web:1.0, web:1.1": all bundles whose name has no folder.
  std::string available() const;

  FileSystem& files_;
  std::vector<std::filesystem::path> directories_;
};

}  // namespace swarm::runtime
