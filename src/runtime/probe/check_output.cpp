#include "runtime/probe/check_output.h"

#include <cstdint>

namespace swarm::runtime {

namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_continuation(char c) {
  return (static_cast<uint8_t>(c) & 0xC0) == 0x80;
}

// Bytes of the printable UTF-8 character at the front; 0 when it is none. Overlong forms and
// surrogates are not told apart: they do no harm on a terminal.
size_t printable_length(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text.front());
  if (lead < 0x80) {
    return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  }
  const size_t length = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (lead >= 0xF5 || length == 0 || text.size() < length) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) {
      return 0;
    }
  }
  // U+0080 to U+009F are control characters as well.
  return lead == 0xC2 && static_cast<uint8_t>(text[1]) < 0xA0 ? 0 : length;
}

std::string escape(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<uint8_t>(c);
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 0x0F]};
  }
}

}  // namespace

std::string tell_output(std::string_view output) {
  std::string_view rest = trim(output);
  std::string told;
  if (rest.size() > kMaxToldOutput) {
    rest.remove_prefix(rest.size() - kMaxToldOutput);
    while (!rest.empty() && is_continuation(rest.front())) {
      rest.remove_prefix(1);
    }
    told = "...";
  }
  while (!rest.empty()) {
    const size_t length = printable_length(rest);
    if (length == 0) {
      told += escape(rest.front());
      rest.remove_prefix(1);
    } else {
      told += rest.substr(0, length);
      rest.remove_prefix(length);
    }
  }
  return told;
}

}  // namespace swarm::runtime
