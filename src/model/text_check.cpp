#include "model/text_check.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/units.h"
#include "model/validate.h"

namespace swarm::model {
namespace {

// Length of the sequence that begins with `lead`, 0 if none does.
size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead < 0xE0) {
    return 2;
  }
  if (lead >= 0xE0 && lead < 0xF0) {
    return 3;
  }
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

// How many characters from `at` on are surely ASCII: nearly all text is, and goes by in words.
size_t ascii_words(std::string_view text, size_t at) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const size_t begin = at;
  uint64_t word = 0;
  for (; text.size() - at >= sizeof(word); at += sizeof(word)) {
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) {
      break;
    }
  }
  return at - begin;
}

// Shortest forms only, no surrogates, nothing over U+10FFFF (Unicode 15, table 3-7).
bool is_utf8(std::string_view text) {
  for (size_t i = ascii_words(text, 0); i < text.size(); i += ascii_words(text, i)) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = sequence_length(lead);
    if (length == 0 || text.size() - i < length) {
      return false;
    }
    for (size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) {
        return false;
      }
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace

std::string quoted(std::string_view value) {
  constexpr size_t kShown = 80;
  std::string text = "\"";
  for (char c : value.substr(0, kShown)) {
    text += c >= ' ' && c <= '~' ? c : '?';
  }
  text += value.size() > kShown ? "...\"" : "\"";
  return text;
}

Status invalid(std::string_view field, std::string_view value, std::string_view why,
               std::string_view right_form) {
  return absl::InvalidArgumentError(std::string(field) + " " + quoted(value) + " " +
                                    std::string(why) + ": " + std::string(right_form));
}

Status check_text(std::string_view field, std::string_view value) {
  if (value.size() > kMaxTextBytes) {
    return invalid(field, value, "has " + std::to_string(value.size()) + " bytes",
                   "at most " + std::to_string(kMaxTextBytes) + " are accepted");
  }
  if (value.find('\0') != std::string_view::npos || !is_utf8(value)) {
    return invalid(field, value, "is not text", "use UTF-8 without NUL characters");
  }
  return absl::OkStatus();
}

Status check_duration(std::string_view field, Duration value) {
  if (value < Duration::zero()) {
    // Clamped: the least duration has no positive counterpart to be written with.
    const std::string text = format_duration(std::max(value, -kMaxDuration));
    return invalid(field, text, "is negative", "use 0s or more, e.g. 10s");
  }
  if (value > kMaxDuration) {
    return invalid(field, format_duration(value), "is too long",
                   "use at most " + format_duration(kMaxDuration));
  }
  return absl::OkStatus();
}

Status check_count(std::string_view field, size_t count) {
  if (count > kMaxListItems) {
    return absl::InvalidArgumentError(std::string(field) + " has " + std::to_string(count) +
                                      " items: at most " + std::to_string(kMaxListItems) +
                                      " are accepted");
  }
  return absl::OkStatus();
}

}  // namespace swarm::model
