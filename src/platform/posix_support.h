#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

// Shared by the _posix.cpp files of this folder; nothing outside includes it.
namespace swarm::platform {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() { reset(); }

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }
  void reset();

 private:
  int descriptor_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// Both ends are closed on exec.
Result<Pipe> make_pipe();

// As exec wants it: a pointer to each text, and null. Valid as long as `texts`.
std::vector<char*> argument_vector(const std::vector<std::string>& texts);

// The status for an errno: "what: text of the system".
Status system_error(int error, const std::string& what);

// A descriptor that pins process `pid` and becomes readable when it ends; -1 where the kernel is
// too old (before Linux 5.3) or there is no such process.
int open_process(int64_t pid);

}  // namespace swarm::platform
