#pragma once

#include <filesystem>
#include <string>

#include "base/time.h"
#include "platform/machine.h"

namespace swarm::manager {

// How often a node looks at itself.
inline constexpr Duration kHealthPeriod = seconds(5);
// With less than this, or less than a hundredth, the next write may fail.
inline constexpr int64_t kMinDiskBytes = int64_t{32} << 20;
// A process that has used so many hundredths of its descriptors will soon refuse connections.
inline constexpr int64_t kMaxDescriptorPercent = 80;

// Each a sentence for a person, empty when all is well.
std::string disk_trouble(const std::filesystem::path& folder, const platform::DiskSpace& space);
std::string descriptor_trouble(const std::string& program, const platform::DescriptorUse& use);

}  // namespace swarm::manager
