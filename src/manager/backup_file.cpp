#include "manager/backup_file.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

#include "base/crc32c.h"

namespace swarm::manager {

namespace {

constexpr std::string_view kMagic = "SWARMBKP";
constexpr uint32_t kFormat = 1;
constexpr size_t kNumberBytes = 4;
constexpr size_t kMaxHeaderBytes = 64 << 10;
constexpr size_t kMaxChunkBytes = 16 << 20;

std::string to_bytes(uint32_t number) {
  std::string bytes(kNumberBytes, '\0');
  for (size_t i = 0; i < kNumberBytes; ++i) {
    bytes[i] = static_cast<char>(number >> (8 * i));
  }
  return bytes;
}

uint32_t from_bytes(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < kNumberBytes; ++i) {
    number |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return number;
}

std::string to_text(const BackupHeader& header) {
  return "swarm " + header.swarm.value() + "\nindex " + std::to_string(header.raft_index) +
         "\nterm " + std::to_string(header.raft_term) + "\nposition " +
         std::to_string(header.position) + "\nversion " + header.version + "\n";
}

bool read_number(std::string_view text, uint64_t* number) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto result = std::from_chars(begin, end, *number);
  return result.ec == std::errc() && result.ptr == end;
}

// Entries of a later version are skipped: the format number says when they matter.
bool from_text(std::string_view text, BackupHeader* header) {
  bool is_good = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::string_view key = line.substr(0, line.find(' '));
    const std::string_view value = line.substr(std::min(line.size(), key.size() + 1));
    if (key == "swarm") {
      header->swarm = model::SwarmId(std::string(value));
    } else if (key == "version") {
      header->version = value;
    } else if (key == "index") {
      is_good = read_number(value, &header->raft_index) && is_good;
    } else if (key == "term") {
      is_good = read_number(value, &header->raft_term) && is_good;
    } else if (key == "position") {
      is_good = read_number(value, &header->position) && is_good;
    }
  }
  return is_good && !header->swarm.is_empty() && header->raft_index > 0 && header->raft_term > 0;
}

// Appends, and keeps the checksum of everything so far.
class Output {
 public:
  explicit Output(File& file) : file_(file) {}

  Status write(std::string_view bytes) {
    SWARM_RETURN_IF_ERROR(file_.write_at(offset_, bytes));
    offset_ += bytes.size();
    checksum_ = crc32c(checksum_, bytes);
    return absl::OkStatus();
  }
  Status write_sized(std::string_view bytes) {
    SWARM_RETURN_IF_ERROR(write(to_bytes(static_cast<uint32_t>(bytes.size()))));
    return write(bytes);
  }
  uint32_t checksum() const { return checksum_; }
  uint64_t size() const { return offset_; }

 private:
  File& file_;
  uint64_t offset_ = 0;
  uint32_t checksum_ = 0;
};

Result<uint64_t> write_whole(File& file, const BackupHeader& header,
                             const std::function<std::string()>& next_chunk) {
  SWARM_RETURN_IF_ERROR(file.truncate(0));
  Output out(file);
  SWARM_RETURN_IF_ERROR(out.write(kMagic));
  SWARM_RETURN_IF_ERROR(out.write(to_bytes(kFormat)));
  SWARM_RETURN_IF_ERROR(out.write_sized(to_text(header)));
  for (std::string chunk = next_chunk(); !chunk.empty(); chunk = next_chunk()) {
    SWARM_RETURN_IF_ERROR(out.write_sized(chunk));
  }
  SWARM_RETURN_IF_ERROR(out.write_sized(""));
  SWARM_RETURN_IF_ERROR(out.write(to_bytes(out.checksum())));
  SWARM_RETURN_IF_ERROR(file.sync());
  return out.size();
}

class Input {
 public:
  Input(File& file, const std::filesystem::path& path) : file_(file), path_(path) {}

  Result<std::string> read(size_t size) {
    std::string bytes(size, '\0');
    SWARM_ASSIGN_OR_RETURN(const size_t got, file_.read_at(offset_, bytes));
    if (got < size) {
      return damaged("it ends at byte " + std::to_string(offset_ + got) + ", too soon");
    }
    offset_ += size;
    checksum_ = crc32c(checksum_, bytes);
    return bytes;
  }
  Result<uint32_t> read_number() {
    SWARM_ASSIGN_OR_RETURN(const std::string bytes, read(kNumberBytes));
    return from_bytes(bytes);
  }
  Result<std::string> read_sized(size_t max_bytes) {
    const uint64_t at = offset_;
    SWARM_ASSIGN_OR_RETURN(const uint32_t size, read_number());
    if (size > max_bytes) {
      return damaged("a part at byte " + std::to_string(at) + " claims " + std::to_string(size) +
                     " bytes");
    }
    return read(size);
  }
  Status damaged(const std::string& why) const {
    return absl::DataLossError("the backup " + path_.string() + " is damaged: " + why +
                               "; use another one");
  }
  uint32_t checksum() const { return checksum_; }
  uint64_t offset() const { return offset_; }

 private:
  File& file_;
  const std::filesystem::path& path_;
  uint64_t offset_ = 0;
  uint32_t checksum_ = 0;
};

Status check_kind(File& file, const std::filesystem::path& path, Input& in) {
  std::string magic(kMagic.size(), '\0');
  SWARM_ASSIGN_OR_RETURN(const size_t got, file.read_at(0, magic));
  if (got < magic.size() || magic != kMagic) {
    return absl::InvalidArgumentError(path.string() +
                                      " is no backup of a swarm: give a file that `swarmctl swarm "
                                      "backup` wrote");
  }
  SWARM_RETURN_IF_ERROR(in.read(kMagic.size()).status());
  SWARM_ASSIGN_OR_RETURN(const uint32_t format, in.read_number());
  if (format != kFormat) {
    return absl::InvalidArgumentError("the backup " + path.string() + " has format " +
                                      std::to_string(format) + ", this version reads format " +
                                      std::to_string(kFormat) +
                                      ": restore it with the version of swarmd that wrote it");
  }
  return absl::OkStatus();
}

}  // namespace

Result<uint64_t> write_backup(FileSystem& files, const std::filesystem::path& path,
                              const BackupHeader& header,
                              const std::function<std::string()>& next_chunk) {
  std::filesystem::path beside = path;
  beside += ".part";
  // Made anew: a file that is there already may be open to others.
  if (Status removed = files.remove(beside); !removed.ok() && !absl::IsNotFound(removed)) {
    return removed;
  }
  SWARM_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.open(beside, OpenMode::create));
  Result<uint64_t> size = write_whole(*file, header, next_chunk);
  file.reset();
  Status status = size.status();
  if (status.ok()) {
    status = files.rename(beside, path);
  }
  if (status.ok()) {
    status = files.sync_directory(path.parent_path());
  }
  if (!status.ok()) {
    files.remove(beside).IgnoreError();  // it may have its name by now
    return status;
  }
  return size;
}

Result<Backup> read_backup(FileSystem& files, const std::filesystem::path& path) {
  SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.open(path, OpenMode::read));
  Input in(*file, path);
  SWARM_RETURN_IF_ERROR(check_kind(*file, path, in));
  Backup backup;
  SWARM_ASSIGN_OR_RETURN(const std::string text, in.read_sized(kMaxHeaderBytes));
  while (true) {
    SWARM_ASSIGN_OR_RETURN(std::string chunk, in.read_sized(kMaxChunkBytes));
    if (chunk.empty()) {
      break;
    }
    backup.chunks.push_back(std::move(chunk));
  }
  const uint32_t expected = in.checksum();
  SWARM_ASSIGN_OR_RETURN(const uint32_t checksum, in.read_number());
  SWARM_ASSIGN_OR_RETURN(const uint64_t size, file->size());
  if (checksum != expected) {
    return in.damaged("its checksum does not match");
  }
  if (size != in.offset()) {
    return in.damaged("something follows its end");
  }
  if (!from_text(text, &backup.header)) {
    return in.damaged("its header says nothing that makes sense");
  }
  return backup;
}

}  // namespace swarm::manager
