#include "cli/escape.h"

namespace swarm::cli {

namespace {

bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
}

// U+0080 to U+009F, which terminals take for control characters too, in UTF-8.
bool is_c1(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]) == 0xC2 && at + 1 < text.size() &&
         static_cast<unsigned char>(text[at + 1]) >= 0x80 &&
         static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

void append_code(std::string& text, unsigned char code) {
  constexpr char kDigits[] = "0123456789abcdef";
  text += "\\u00";
  text.push_back(kDigits[code >> 4]);
  text.push_back(kDigits[code & 0xF]);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (is_control(c)) {
      append_code(result, c);
    } else if (is_c1(text, i)) {
      append_code(result, static_cast<unsigned char>(text[++i]));
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

std::string on_one_line(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  return result;
}

}  // namespace swarm::cli
