#pragma once

#include <cstdint>
#include <string_view>

namespace swarm {

// CRC32C (Castagnoli) of `bytes`, going on from `seed`, the checksum of what came before.
uint32_t crc32c(uint32_t seed, std::string_view bytes);

}  // namespace swarm
