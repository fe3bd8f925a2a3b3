#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "platform/posix_file.h"

namespace swarm::platform {

Status file_error(int error, const char* what, const std::filesystem::path& path) {
  const std::string text = std::string(what) + " " + path.string() + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(text);
    case EEXIST:
      return absl::AlreadyExistsError(text);
    case EINVAL:
      return absl::InvalidArgumentError(text);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(text);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
      return absl::FailedPreconditionError(text);
    default:
      return absl::UnavailableError(text);
  }
}

Result<size_t> PosixFile::read_at(uint64_t offset, std::span<char> buffer) {
  size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = ::pread(descriptor_.get(), buffer.data() + done, buffer.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return file_error(errno, "read", path_);
    }
    if (got == 0) {
      break;
    }
    done += static_cast<size_t>(got);
  }
  return done;
}

Status PosixFile::write_at(uint64_t offset, std::string_view data) {
  return write_all(descriptor_.get(), offset, data);
}

Status PosixFile::write_all(int descriptor, uint64_t offset, std::string_view data) {
  while (!data.empty()) {
    const ssize_t put = ::pwrite(descriptor, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      return file_error(errno, "write", path_);
    }
    offset += static_cast<uint64_t>(put);
    data.remove_prefix(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

Status PosixFile::sync() {
  return ::fdatasync(descriptor_.get()) == 0 ? absl::OkStatus() : file_error(errno, "sync", path_);
}

Result<uint64_t> PosixFile::size() const {
  struct stat info{};
  if (::fstat(descriptor_.get(), &info) != 0) {
    return file_error(errno, "stat", path_);
  }
  return static_cast<uint64_t>(info.st_size);
}

Status PosixFile::truncate(uint64_t size) {
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) {
    return file_error(errno, "truncate", path_);
  }
  return absl::OkStatus();
}

namespace {

// What direct I/O wants offsets, sizes and memory to be multiples of, on all common devices.
constexpr size_t kBlock = 4096;
// A buffer that grew beyond this for once is given back.
constexpr size_t kKeptBytes = 512 * 1024;

// Whole blocks in memory that direct I/O takes.
class Blocks {
 public:
  char* data() { return data_.get(); }

  // Keeps the first block.
  void resize(size_t bytes) {
    std::unique_ptr<char, Free> other(static_cast<char*>(std::aligned_alloc(kBlock, bytes)));
    SWARM_CHECK(other != nullptr, "there is no memory for a write");
    if (bytes_ > 0) {
      std::copy_n(data_.get(), kBlock, other.get());
    }
    data_ = std::move(other);
    bytes_ = bytes;
  }
  size_t size() const { return bytes_; }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> data_;
  size_t bytes_ = 0;
};

// The block in which a write ends is kept for the next, which begins there.
class DirectFile final : public PosixFile {
 public:
  DirectFile(Descriptor usual, Descriptor direct, const std::filesystem::path& path)
      : PosixFile(usual.release(), path), direct_(std::move(direct)) {}

  Status write_at(uint64_t offset, std::string_view data) override {
    if (!direct_.is_open()) {
      return PosixFile::write_at(offset, data);
    }
    const uint64_t begin = offset / kBlock * kBlock;
    const size_t head = offset - begin;
    const size_t end = head + data.size();
    const size_t bytes = (end + kBlock - 1) / kBlock * kBlock;
    if (blocks_.size() < bytes) {
      blocks_.resize(bytes);
    }
    if (head > 0 && kept_ != begin) {
      SWARM_RETURN_IF_ERROR(read_at(begin, std::span(blocks_.data(), kBlock)).status());
    }
    std::copy(data.begin(), data.end(), blocks_.data() + head);
    std::fill(blocks_.data() + end, blocks_.data() + bytes, '\0');
    kept_ = kNothing;
    const Status written = write_all(direct_.get(), begin, std::string_view(blocks_.data(), bytes));
    if (absl::IsInvalidArgument(written)) {  // a disk with larger blocks
      direct_.reset();
      return PosixFile::write_at(offset, data);
    }
    SWARM_RETURN_IF_ERROR(written);
    keep_last_block(begin, end);
    return absl::OkStatus();
  }

 private:
  static constexpr uint64_t kNothing = ~uint64_t{0};

  void keep_last_block(uint64_t begin, size_t end) {
    const size_t last = end / kBlock * kBlock;
    if (end > last) {
      std::memmove(blocks_.data(), blocks_.data() + last, kBlock);
      kept_ = begin + last;
    }
    if (blocks_.size() > kKeptBytes) {
      blocks_.resize(kBlock);
    }
  }

  Descriptor direct_;
  Blocks blocks_;
  uint64_t kept_ = kNothing;  // the offset of the first block in memory, when that is as on disk
};

}  // namespace

std::unique_ptr<File> make_direct(int descriptor, const std::filesystem::path& path) {
  Descriptor usual(descriptor);
  struct stat info{};
  const bool has_whole_blocks = ::fstat(descriptor, &info) == 0 && info.st_size % kBlock == 0;
  Descriptor direct(has_whole_blocks ? ::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC) : -1);
  if (!direct.is_open()) {
    return std::make_unique<PosixFile>(usual.release(), path);
  }
  return std::make_unique<DirectFile>(std::move(usual), std::move(direct), path);
}

}  // namespace swarm::platform
