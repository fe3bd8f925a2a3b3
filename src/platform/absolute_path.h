#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace swarm::platform {

// What a person typed, seen from the working folder. INVALID_ARGUMENT when it is empty,
// FAILED_PRECONDITION when there is no working folder any more.
Result<std::filesystem::path> absolute_path(const std::string& text);

}  // namespace swarm::platform
