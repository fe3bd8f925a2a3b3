#include "base/file_system.h"

namespace swarm {

Result<std::string> read_file(FileSystem& files, const std::filesystem::path& path,
                              size_t max_bytes) {
  SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.open(path, OpenMode::read));
  SWARM_ASSIGN_OR_RETURN(const uint64_t size, file->size());
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(path.string() + " has " + std::to_string(size) +
                                        " bytes; at most " + std::to_string(max_bytes) +
                                        " are expected");
  }
  std::string contents(size, '\0');
  SWARM_ASSIGN_OR_RETURN(const size_t read, file->read_at(0, contents));
  contents.resize(read);
  return contents;
}

Status replace_file(FileSystem& files, const std::filesystem::path& path,
                    std::string_view contents) {
  std::filesystem::path beside = path;
  beside += ".new";
  {
    SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                           files.open(beside, OpenMode::create_or_open));
    SWARM_RETURN_IF_ERROR(file->truncate(0));
    SWARM_RETURN_IF_ERROR(file->write_at(0, contents));
    SWARM_RETURN_IF_ERROR(file->sync());
  }
  SWARM_RETURN_IF_ERROR(files.rename(beside, path));
  return files.sync_directory(path.parent_path());
}

}  // namespace swarm
