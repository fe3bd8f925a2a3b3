#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <limits>

namespace swarm {

uint32_t crc32c(uint32_t seed, std::string_view bytes) {
  // ISA-L leaves the inversions at both ends to the caller, takes an int for the length, and reads
  // through a pointer that it forgot to make const.
  uint32_t state = ~seed;
  while (!bytes.empty()) {
    const size_t size = std::min<size_t>(bytes.size(), std::numeric_limits<int>::max());
    auto* const data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    state = crc32_iscsi(data, static_cast<int>(size), state);
    bytes.remove_prefix(size);
  }
  return ~state;
}

}  // namespace swarm
