#include "base/secret.h"

#include <cstddef>

namespace swarm {

bool equal_secrets(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) {
    return false;
  }
  // volatile: the compiler must not leave the loop at the first difference.
  volatile unsigned char difference = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (left[i] ^ right[i]));
  }
  return difference == 0;
}

}  // namespace swarm
