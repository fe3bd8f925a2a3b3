#include "raft/log/segment_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "raft/core/mutants.h"

namespace swarm::raft {

namespace {

constexpr std::string_view kSuffix = ".log";
constexpr std::string_view kSpare = "spare-";
constexpr size_t kDigits = 16;
// So that a slice on the log loop delays a sync by a millisecond, not by a segment.
constexpr uint64_t kSliceBytes = 1 << 20;
// The page cache holds a file in pieces as large as the writes that made them, and a later write
// and sync walk all blocks of the pieces they touch: with pieces of 1 MiB there are a sixth fewer
// groups of one entry a second, with pieces of 16 KiB a tenth fewer of 128 KiB (ext4, Linux 6.18).
constexpr uint64_t kFillBytes = 64 << 10;

Status fill(File& file, uint64_t from, uint64_t to) {
  const std::string zeros(std::min(kFillBytes, to - from), '\0');
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
    const std::filesystem::path path = directory_ / name;
    bool is_spare = false;
    if (name.starts_with(kSpare) && !name.ends_with(".part")) {
      SWARM_ASSIGN_OR_RETURN(is_spare, has_full_size(path));
    }
    if (is_spare && spares_.size() < kMaxSpares) {
      spares_.push_back(path);
    } else if (name.starts_with(kSpare) || name.ends_with(".part")) {
      SWARM_RETURN_IF_ERROR(files_.remove(path));
    }
  }
  return absl::OkStatus();
}

Result<bool> SegmentFiles::has_full_size(const std::filesystem::path& path) {
  SWARM_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files_.open(path, OpenMode::read));
  SWARM_ASSIGN_OR_RETURN(const uint64_t size, file->size());
  return size == segment_bytes_;
}

Result<std::vector<uint64_t>> SegmentFiles::list() const {
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

Status SegmentFiles::make_filled(const std::filesystem::path& path, uint64_t bytes) {
  SWARM_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files_.open(path, OpenMode::create_or_open));
  Status filled = fill(*file, 0, bytes);
  if (!filled.ok()) {
    file.reset();
    files_.remove(path).IgnoreError();  // the first error is the one to tell
  }
  return filled;
}

Result<std::unique_ptr<File>> SegmentFiles::create(const SegmentHeader& header) {
  const bool uses_spare = !spares_.empty() && header.file_bytes == segment_bytes_;
  const std::filesystem::path from = uses_spare ? spares_.back() : directory_ / "segment.part";
  if (!uses_spare) {
    SWARM_RETURN_IF_ERROR(make_filled(from, header.file_bytes));
  }
  SWARM_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files_.open(from, OpenMode::direct));
  SWARM_RETURN_IF_ERROR(file->write_at(0, encode(header)));
  SWARM_RETURN_IF_ERROR(file->sync());
  SWARM_RETURN_IF_ERROR(files_.rename(from, path_of(header.number)));
  if (uses_spare) {
    spares_.pop_back();
  }
  if (!SWARM_MUTANT(segment_name_not_synced)) {
    SWARM_RETURN_IF_ERROR(files_.sync_directory(directory_));
  }
  return file;
}

Status SegmentFiles::retire(uint64_t number) {
  const std::filesystem::path path = path_of(number);
  bool may_reuse = spares_.size() < kMaxSpares;
  if (may_reuse) {
    SWARM_ASSIGN_OR_RETURN(may_reuse, has_full_size(path));
  }
  if (may_reuse) {
    // Under its number, which no other spare has.
    const std::filesystem::path spare = directory_ / (std::string(kSpare) + path.stem().string());
    SWARM_RETURN_IF_ERROR(files_.rename(path, spare));
    spares_.push_back(spare);
  } else {
    SWARM_RETURN_IF_ERROR(files_.remove(path));
  }
  return files_.sync_directory(directory_);
}

Result<bool> SegmentFiles::prepare_spare_slice() {
  const std::filesystem::path path = directory_ / (std::string(kSpare) + "new.part");
  if (!spares_.empty()) {
    if (next_spare_ != nullptr) {  // a segment was retired meanwhile
      next_spare_.reset();
      SWARM_RETURN_IF_ERROR(files_.remove(path));
    }
    return false;
  }
  if (next_spare_ == nullptr) {
    SWARM_ASSIGN_OR_RETURN(next_spare_, files_.open(path, OpenMode::create_or_open));
    next_spare_filled_ = 0;
  }
  const uint64_t end = std::min(segment_bytes_, next_spare_filled_ + kSliceBytes);
  Status filled = fill(*next_spare_, next_spare_filled_, end);
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
  const std::filesystem::path spare = directory_ / (std::string(kSpare) + "new");
  SWARM_RETURN_IF_ERROR(files_.rename(path, spare));
  spares_.push_back(spare);
  return false;
}

}  // namespace swarm::raft
