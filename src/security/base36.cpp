#include "security/base36.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace swarm::security {

std::string to_base36(std::span<const unsigned char> number, size_t width) {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::vector<unsigned char> rest(number.begin(), number.end());
  std::string text(width, '0');
  for (size_t digit = width; digit-- > 0;) {
    unsigned remainder = 0;
    for (unsigned char& byte : rest) {  // long division by 36
      const unsigned part = remainder * 256 + byte;
      byte = static_cast<unsigned char>(part / 36);
      remainder = part % 36;
    }
    text[digit] = kDigits[remainder];
  }
  SWARM_CHECK(std::all_of(rest.begin(), rest.end(), [](unsigned char byte) { return byte == 0; }),
              "a number does not fit in " + std::to_string(width) + " base-36 digits");
  return text;
}

}  // namespace swarm::security
