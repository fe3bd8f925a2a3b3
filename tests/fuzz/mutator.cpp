#include "fuzz/mutator.h"

#include <algorithm>

namespace swarm::fuzz {

namespace {

constexpr size_t kMaxBytes = 16 << 10;
constexpr uint64_t kMaxChanges = 6;
constexpr char kNotableBytes[] = {0, 1, 0x7f, '\x80', '\xff', '-', '.', '0', '9', ' ', '\n', ':'};

struct Part {
  size_t from = 0;
  size_t size = 0;
};

Part part_of(const std::string& bytes, Random& random) {
  const size_t from = random.below(bytes.size());
  return {from, 1 + random.below(std::min<size_t>(bytes.size() - from, 64))};
}

void change(std::string& bytes, const std::string& other, Random& random) {
  const size_t at = random.below(bytes.size());
  const char notable = kNotableBytes[random.below(std::size(kNotableBytes))];
  switch (random.below(7)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      return;
    case 1:
      bytes[at] = notable;
      return;
    case 2: {
      const Part part = part_of(bytes, random);
      bytes.erase(part.from, part.size);
      return;
    }
    case 3: {
      const Part part = part_of(bytes, random);
      bytes.insert(at, bytes.substr(part.from, part.size));
      return;
    }
    case 4:
      bytes.insert(at, 1 + random.below(8), notable);
      return;
    case 5:
      if (!other.empty()) {
        const Part part = part_of(other, random);
        bytes.replace(at, std::min(part.size, bytes.size() - at), other, part.from, part.size);
      }
      return;
    default:
      bytes.resize(at);
  }
}

}  // namespace

std::string mutate(std::span<const std::string> seeds, Random& random) {
  std::string bytes = seeds[random.below(seeds.size())];
  const std::string& other = seeds[random.below(seeds.size())];
  for (uint64_t left = 1 + random.below(kMaxChanges); left > 0 && !bytes.empty(); --left) {
    change(bytes, other, random);
  }
  bytes.resize(std::min(bytes.size(), kMaxBytes));
  return bytes;
}

}  // namespace swarm::fuzz
