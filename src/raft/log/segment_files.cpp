#include "raft/log/segment_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include "raft/core/mutants.h"

namespace swarm::raft {

namespace {

constexpr std::string_view kSuffix = ".log";
constexpr size_t kDigits = 16;
// So that a slice on the log loop delays a sync by a millisecond, not by a segment.
constexpr uint64_t kSliceBytes = 1 << 20;

Status fill(File& file, uint64_t from, uint64_t to) {
  const std::string zeros(std::min(kSliceBytes, to - from), '\0');
  while (from < to) {
    const uint64_t size = std::min<uint64_t>(zeros.size(), to - from);
    SWARM_RETURN_IF_ERROR(file.write_at(from, std::string_view(zeros).substr(0, size)));
    from += size;
  }
  return absl::OkStatus();
}

}  // namespace

SegmentFiles::SegmentFiles(FileSystem& files, std::filesystem::path directory,
                           uint64_t segment_bytes)
    : files_(files), directory_(std::move(directory)), segment_bytes_(segment_bytes) {}

Status SegmentFiles::prepare() {
  SWARM_RETURN_IF_ERROR(files_.make_directories(directory_));
  SWARM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.list(directory_));
  for (const std::string& name : names) {
    if (name.ends_with(".part")) {
      SWARM_RETURN_IF_ERROR(files_.remove(directory_ / name));
    } else if (name == "spare") {
      SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                             files_.open(directory_ / name, OpenMode::read));
      SWARM_ASSIGN_OR_RETURN(const uint64_t size, file->size());
      has_spare_ = size == segment_bytes_;
      if (!has_spare_) {
        SWARM_RETURN_IF_ERROR(files_.remove(directory_ / name));
      }
    }
  }
  return absl::OkStatus();
}

Result<std::vector<uint64_t>> SegmentFiles::list() {
  SWARM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.list(directory_));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    uint64_t number = 0;
    const char* const end = name.data() + std::min(name.size(), kDigits);
    const auto [stop, error] = std::from_chars(name.data(), end, number, 16);
    if (name.size() == kDigits + kSuffix.size() && name.ends_with(kSuffix) &&
        error == std::errc() && stop == end) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::filesystem::path SegmentFiles::path_of(uint64_t number) const {
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(number));
  return directory_ / (std::string(digits) + std::string(kSuffix));
}

Result<std::unique_ptr<File>> SegmentFiles::make_filled(const std::filesystem::path& path,
                                                        uint64_t bytes) {
  SWARM_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files_.open(path, OpenMode::create_or_open));
  const Status filled = fill(*file, 0, bytes);
  if (!filled.ok()) {
    file.reset();
    files_.remove(path).IgnoreError();  // the first error is the one to tell
    return filled;
  }
  return file;
}

Result<std::unique_ptr<File>> SegmentFiles::create(const SegmentHeader& header, uint64_t bytes) {
  const std::filesystem::path path = path_of(header.number);
  std::filesystem::path from = directory_ / "spare";
  std::unique_ptr<File> file;
  if (has_spare_ && bytes <= segment_bytes_) {
    SWARM_ASSIGN_OR_RETURN(file, files_.open(from, OpenMode::write));
  } else {
    from = directory_ / "segment.part";
    SWARM_ASSIGN_OR_RETURN(file, make_filled(from, std::max(bytes, segment_bytes_)));
  }
  SWARM_RETURN_IF_ERROR(file->write_at(0, encode(header)));
  SWARM_RETURN_IF_ERROR(file->sync());
  SWARM_RETURN_IF_ERROR(files_.rename(from, path));
  if (!SWARM_MUTANT(segment_name_not_synced)) {
    SWARM_RETURN_IF_ERROR(files_.sync_directory(directory_));
  }
  if (from.filename() == "spare") {
    has_spare_ = false;
  }
  return file;
}

Status SegmentFiles::retire(uint64_t number) {
  const std::filesystem::path path = path_of(number);
  bool may_reuse = !has_spare_ && next_spare_ == nullptr;
  if (may_reuse) {
    SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files_.open(path, OpenMode::read));
    SWARM_ASSIGN_OR_RETURN(const uint64_t size, file->size());
    may_reuse = size == segment_bytes_;
  }
  if (may_reuse) {
    SWARM_RETURN_IF_ERROR(files_.rename(path, directory_ / "spare"));
    has_spare_ = true;
  } else {
    SWARM_RETURN_IF_ERROR(files_.remove(path));
  }
  return files_.sync_directory(directory_);
}

Result<bool> SegmentFiles::prepare_spare_slice() {
  if (has_spare_) {
    return false;
  }
  const std::filesystem::path path = directory_ / "spare.part";
  if (next_spare_ == nullptr) {
    SWARM_ASSIGN_OR_RETURN(next_spare_, files_.open(path, OpenMode::create));
    next_spare_filled_ = 0;
  }
  const uint64_t end = std::min(segment_bytes_, next_spare_filled_ + kSliceBytes);
  const Status filled = fill(*next_spare_, next_spare_filled_, end);
  if (!filled.ok()) {
    next_spare_.reset();
    files_.remove(path).IgnoreError();  // the first error is the one to tell
    return filled;
  }
  next_spare_filled_ = end;
  // Each slice is synced by itself: one sync of a whole segment would stall the log.
  SWARM_RETURN_IF_ERROR(next_spare_->sync());
  if (end < segment_bytes_) {
    return true;
  }
  next_spare_.reset();
  SWARM_RETURN_IF_ERROR(files_.rename(path, directory_ / "spare"));
  has_spare_ = true;
  return false;
}

}  // namespace swarm::raft
