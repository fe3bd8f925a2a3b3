#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "platform/posix_support.h"

// Only for the _posix.cpp files of this folder.
namespace swarm::platform {

// A log file that never grows over a bound: then it is renamed to "NAME.1", over the one before,
// and begun anew. What cannot be written (a full disk) is dropped: the program that logs must go
// on.
class RotatingLog {
 public:
  RotatingLog(std::filesystem::path path, uint64_t max_bytes);

  void write(std::string_view data);

 private:
  void open();
  void rotate();

  std::filesystem::path path_;
  uint64_t max_bytes_;
  uint64_t size_ = 0;
  Descriptor file_;
};

}  // namespace swarm::platform
