// A disk that fails, for a process that is started with LD_PRELOAD=libswarmfault.so.
//
//   SWARM_FAULT_FOLDER   only files below it are touched
//   SWARM_FAULT_CONTROL  a file with words that take effect at the next sync below the folder, also
//                        while the process runs: `eio` every sync fails, `delay=MS` every sync
//                        takes that much longer
//   SWARM_FAULT_LOSE     1: what was written and not synced exists in this process alone, so that
//                        kill -9 is a power loss
//   SWARM_FAULT_KEEP     of a hundred sectors that are written, how many reach the disk at once all
//                        the same, as a page cache would write some back: makes torn writes
//
// Writes are kept page by page per file, seen by reads of this process, and go to the disk at
// fsync and fdatasync; only that a file grows is not held back. Names are not delayed: rename and
// unlink take effect at once. Only the calls that swarmd's file system makes are replaced (pread,
// pwrite, not read, write, mmap).

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace {

constexpr off_t kPage = 4096;
constexpr off_t kSector = 512;

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

using Pread = ssize_t (*)(int, void*, size_t, off_t);
using Pwrite = ssize_t (*)(int, const void*, size_t, off_t);
using Truncate = int (*)(int, off_t);
using Sync = int (*)(int);
using Stat = int (*)(int, struct stat*);
using Open = int (*)(const char*, int, ...);

ssize_t real_pread(int fd, void* buffer, size_t size, off_t offset) {
  static const auto call = next<Pread>("pread64");
  return call(fd, buffer, size, offset);
}
ssize_t real_pwrite(int fd, const void* buffer, size_t size, off_t offset) {
  static const auto call = next<Pwrite>("pwrite64");
  return call(fd, buffer, size, offset);
}
int real_ftruncate(int fd, off_t size) {
  static const auto call = next<Truncate>("ftruncate64");
  return call(fd, size);
}
int real_fstat(int fd, struct stat* info) {
  static const auto call = next<Stat>("fstat64");
  return call(fd, info);
}
int real_open(const char* path, int flags, mode_t mode) {
  static const auto call = next<Open>("open64");
  return call(path, flags, mode);
}
int real_close(int fd) {
  static const auto call = next<Sync>("close");
  return call(fd);
}

std::string text_of(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

struct Settings {
  std::string folder = text_of("SWARM_FAULT_FOLDER");
  std::string control = text_of("SWARM_FAULT_CONTROL");
  bool loses = text_of("SWARM_FAULT_LOSE") == "1";
  unsigned keep = static_cast<unsigned>(atoi(text_of("SWARM_FAULT_KEEP").c_str()));
};

// Never destroyed: threads may write until the very end.
const Settings& settings() {
  static const Settings* const settings = new Settings;
  return *settings;
}

bool is_below_folder(int fd) {
  if (settings().folder.empty()) {
    return false;
  }
  char link[64];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  char path[4096];
  const ssize_t size = readlink(link, path, sizeof(path));
  return size > 0 && std::string(path, static_cast<size_t>(size)).rfind(settings().folder, 0) == 0;
}

// What a file holds for this process and not yet on the disk.
struct Shadow {
  int fd = -1;     // our own, to write with
  off_t size = 0;  // as this process sees it
  off_t size_on_disk = 0;
  int open_count = 0;
  bool is_resized = false;
  std::map<off_t, std::array<char, kPage>> pages;  // by number
};

struct State {
  std::mutex mutex;
  std::map<std::pair<dev_t, ino_t>, Shadow> shadows;
  std::map<int, std::pair<dev_t, ino_t>> open_files;
  unsigned seed = static_cast<unsigned>(time(nullptr) ^ getpid());
};

State& state() {
  static State* const state = new State;
  return *state;
}

// Null unless writes to it are held back. The lock is held.
Shadow* shadow_of(int fd) {
  const auto open = state().open_files.find(fd);
  return open == state().open_files.end() ? nullptr : &state().shadows.at(open->second);
}

void on_opened(int fd, int flags) {
  struct stat info{};
  if (!settings().loses || fd < 0 || real_fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
      !is_below_folder(fd)) {
    return;
  }
  const std::lock_guard lock(state().mutex);
  const std::pair key(info.st_dev, info.st_ino);
  Shadow& shadow = state().shadows[key];
  if (shadow.fd < 0) {
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    shadow.fd = real_open(link, O_RDWR | O_CLOEXEC, 0);
    shadow.size = shadow.size_on_disk = info.st_size;
  }
  if ((flags & O_TRUNC) != 0) {
    shadow.pages.clear();
    shadow.size = 0;
  }
  ++shadow.open_count;
  state().open_files[fd] = key;
}

void read_page(const Shadow& shadow, off_t number, std::array<char, kPage>& page) {
  page.fill('\0');
  size_t done = 0;
  while (done < page.size()) {
    const ssize_t got = real_pread(shadow.fd, page.data() + done, page.size() - done,
                                   number * kPage + static_cast<off_t>(done));
    if (got <= 0) {
      return;
    }
    done += static_cast<size_t>(got);
  }
}

// Some of the sectors that were just written reach the disk by themselves.
void write_some_back(State& all, const Shadow& shadow, off_t offset, off_t end) {
  for (off_t sector = offset / kSector * kSector; sector < end; sector += kSector) {
    if (static_cast<unsigned>(rand_r(&all.seed)) % 100 >= settings().keep) {
      continue;
    }
    const auto& page = shadow.pages.at(sector / kPage);
    const off_t size = std::min(kSector, shadow.size - sector);
    if (size > 0) {
      (void)!real_pwrite(shadow.fd, page.data() + sector % kPage, static_cast<size_t>(size),
                         sector);
    }
  }
}

// A file grows on the disk at once, by zeros, so that a full disk is met by the write and not by
// the sync. errno is set when it is full.
bool grow(Shadow& shadow, off_t end) {
  static const std::array<char, kPage> zeros{};
  while (shadow.size_on_disk < end) {
    const off_t size = std::min(kPage, end - shadow.size_on_disk);
    const ssize_t put =
        real_pwrite(shadow.fd, zeros.data(), static_cast<size_t>(size), shadow.size_on_disk);
    if (put <= 0) {
      return false;
    }
    shadow.size_on_disk += put;
  }
  return true;
}

ssize_t write_shadow(Shadow& shadow, const char* data, size_t size, off_t offset) {
  const off_t end = offset + static_cast<off_t>(size);
  if (!grow(shadow, end)) {
    return -1;
  }
  for (off_t at = offset; at < end;) {
    const off_t number = at / kPage;
    auto found = shadow.pages.find(number);
    if (found == shadow.pages.end()) {
      found = shadow.pages.emplace(number, std::array<char, kPage>()).first;
      read_page(shadow, number, found->second);
    }
    const off_t stop = std::min(end, (number + 1) * kPage);
    memcpy(found->second.data() + at % kPage, data + (at - offset), static_cast<size_t>(stop - at));
    at = stop;
  }
  shadow.size = std::max(shadow.size, end);
  if (settings().keep > 0) {
    write_some_back(state(), shadow, offset, end);
  }
  return static_cast<ssize_t>(size);
}

ssize_t read_shadow(const Shadow& shadow, char* buffer, size_t size, off_t offset) {
  if (offset >= shadow.size) {
    return 0;
  }
  const off_t end = std::min(shadow.size, offset + static_cast<off_t>(size));
  std::array<char, kPage> from_disk;
  for (off_t at = offset; at < end;) {
    const off_t number = at / kPage;
    const auto found = shadow.pages.find(number);
    if (found == shadow.pages.end()) {
      read_page(shadow, number, from_disk);
    }
    const auto& page = found == shadow.pages.end() ? from_disk : found->second;
    const off_t stop = std::min(end, (number + 1) * kPage);
    memcpy(buffer + (at - offset), page.data() + at % kPage, static_cast<size_t>(stop - at));
    at = stop;
  }
  return static_cast<ssize_t>(end - offset);
}

bool flush(Shadow& shadow) {
  for (const auto& [number, page] : shadow.pages) {
    const off_t at = number * kPage;
    const off_t size = std::min(kPage, shadow.size - at);
    if (size > 0 && real_pwrite(shadow.fd, page.data(), static_cast<size_t>(size), at) != size) {
      return false;
    }
  }
  if (shadow.is_resized && real_ftruncate(shadow.fd, shadow.size) != 0) {
    return false;
  }
  shadow.size_on_disk = shadow.is_resized ? shadow.size : shadow.size_on_disk;
  shadow.is_resized = false;
  shadow.pages.clear();
  return true;
}

enum class Order { sync, fail, lie };

// What the control file wants of this sync.
Order next_order() {
  char text[256] = {};
  const int fd = settings().control.empty()
                     ? -1
                     : real_open(settings().control.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) {
    return Order::sync;
  }
  const ssize_t size = real_pread(fd, text, sizeof(text) - 1, 0);
  real_close(fd);
  if (size <= 0) {
    return Order::sync;
  }
  if (const char* const delay = strstr(text, "delay=")) {
    const long milliseconds = atol(delay + strlen("delay="));
    const timespec pause{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
    nanosleep(&pause, nullptr);
  }
  if (strstr(text, "lie") != nullptr) {
    return Order::lie;
  }
  return strstr(text, "eio") != nullptr ? Order::fail : Order::sync;
}

int sync_file(int fd, const char* name) {
  const Order order = is_below_folder(fd) ? next_order() : Order::sync;
  if (order == Order::fail) {
    errno = EIO;
    return -1;
  }
  if (order == Order::lie) {
    return 0;
  }
  {
    const std::lock_guard lock(state().mutex);
    Shadow* const shadow = shadow_of(fd);
    if (shadow != nullptr && !flush(*shadow)) {
      errno = EIO;
      return -1;
    }
  }
  return next<Sync>(name)(fd);
}

int open_file(const char* path, int flags, va_list arguments) {
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  const int fd = real_open(path, flags, mode);
  const int error = errno;
  on_opened(fd, flags);
  errno = error;
  return fd;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int fd = open_file(path, flags, arguments);
  va_end(arguments);
  return fd;
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int fd = open_file(path, flags, arguments);
  va_end(arguments);
  return fd;
}

int close(int fd) {
  {
    State& all = state();
    const std::lock_guard lock(all.mutex);
    const auto open = all.open_files.find(fd);
    if (open != all.open_files.end()) {
      const auto shadow = all.shadows.find(open->second);
      // What is not synced outlives the descriptor.
      if (--shadow->second.open_count == 0 && shadow->second.pages.empty() &&
          !shadow->second.is_resized) {
        real_close(shadow->second.fd);
        all.shadows.erase(shadow);
      }
      all.open_files.erase(open);
    }
  }
  return real_close(fd);
}

ssize_t pread64(int fd, void* buffer, size_t size, off_t offset) {
  {
    const std::lock_guard lock(state().mutex);
    if (const Shadow* const shadow = shadow_of(fd)) {
      return read_shadow(*shadow, static_cast<char*>(buffer), size, offset);
    }
  }
  return real_pread(fd, buffer, size, offset);
}

ssize_t pwrite64(int fd, const void* buffer, size_t size, off_t offset) {
  {
    const std::lock_guard lock(state().mutex);
    if (Shadow* const shadow = shadow_of(fd)) {
      return write_shadow(*shadow, static_cast<const char*>(buffer), size, offset);
    }
  }
  return real_pwrite(fd, buffer, size, offset);
}

int ftruncate64(int fd, off_t size) {
  {
    const std::lock_guard lock(state().mutex);
    if (Shadow* const shadow = shadow_of(fd)) {
      shadow->pages.erase(shadow->pages.lower_bound((size + kPage - 1) / kPage),
                          shadow->pages.end());
      shadow->size = size;
      shadow->is_resized = true;
      return 0;
    }
  }
  return real_ftruncate(fd, size);
}

int fstat(int fd, struct stat* info) {
  const int result = real_fstat(fd, info);
  const std::lock_guard lock(state().mutex);
  const Shadow* const shadow = result == 0 ? shadow_of(fd) : nullptr;
  if (shadow != nullptr) {
    info->st_size = shadow->size;
  }
  return result;
}

// With 64-bit offsets the two structures are one.
int fstat64(int fd, struct stat64* info) {
  static_assert(sizeof(struct stat) == sizeof(struct stat64));
  return fstat(fd, reinterpret_cast<struct stat*>(info));
}

ssize_t pread(int fd, void* buffer, size_t size, off_t offset) {
  return pread64(fd, buffer, size, offset);
}
ssize_t pwrite(int fd, const void* buffer, size_t size, off_t offset) {
  return pwrite64(fd, buffer, size, offset);
}
int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}
int fsync(int fd) {
  return sync_file(fd, "fsync");
}
int fdatasync(int fd) {
  return sync_file(fd, "fdatasync");
}

}  // extern "C"
