#include "platform/rotating_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace swarm::platform {

RotatingLog::RotatingLog(std::filesystem::path path, uint64_t max_bytes)
    : path_(std::move(path)), max_bytes_(std::max<uint64_t>(max_bytes, 1)) {
  open();
}

void RotatingLog::open() {
  file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  struct stat info{};
  const bool is_known = file_.is_open() && ::fstat(file_.get(), &info) == 0;
  size_ = is_known ? static_cast<uint64_t>(info.st_size) : 0;
}

void RotatingLog::rotate() {
  const std::filesystem::path old = path_.string() + ".1";
  file_.reset();
  std::rename(path_.c_str(), old.c_str());
  open();
}

void RotatingLog::write(std::string_view data) {
  while (!data.empty()) {
    if (size_ >= max_bytes_) {
      rotate();
    }
    if (!file_.is_open() || size_ >= max_bytes_) {
      return;
    }
    const size_t fits = static_cast<size_t>(std::min<uint64_t>(data.size(), max_bytes_ - size_));
    const ssize_t put = ::write(file_.get(), data.data(), fits);
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return;
    }
    size_ += static_cast<uint64_t>(put);
    data.remove_prefix(static_cast<size_t>(put));
  }
}

}  // namespace swarm::platform
