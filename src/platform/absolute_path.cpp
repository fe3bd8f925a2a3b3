#include "platform/absolute_path.h"

#include <system_error>

namespace swarm::platform {

Result<std::filesystem::path> absolute_path(const std::string& text) {
  if (text.empty()) {
    return absl::InvalidArgumentError("is empty: give a path");
  }
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(text, error);
  if (error) {
    return absl::FailedPreconditionError("the working folder cannot be found (" + error.message() +
                                         "): give an absolute path instead of " + text);
  }
  return path;
}

}  // namespace swarm::platform
