#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/file_system.h"
#include "platform/posix_support.h"

// Shared by the _posix.cpp files of this folder; nothing outside includes it.
namespace swarm::platform {

// The status for an errno of a call on a file: "what PATH: text of the system".
Status file_error(int error, const char* what, const std::filesystem::path& path);

class PosixFile : public File {
 public:
  // Owns the descriptor.
  PosixFile(int descriptor, std::filesystem::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) override;
  Status write_at(uint64_t offset, std::string_view data) override;
  Status sync() override;
  Result<uint64_t> size() const override;
  Status truncate(uint64_t size) override;

 protected:
  Status write_all(int descriptor, uint64_t offset, std::string_view data);

 private:
  const Descriptor descriptor_;
  const std::filesystem::path path_;
};

// OpenMode::direct for what is open in the usual way; owns the descriptor. It stays as it is where
// there is no direct I/O, and when the file does not consist of whole blocks.
std::unique_ptr<File> make_direct(int descriptor, const std::filesystem::path& path);

}  // namespace swarm::platform
