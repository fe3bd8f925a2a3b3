#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

// What all checks on input share. For the sources of this module.
namespace swarm::model {

// Longest duration a spec may hold: far from where `now + duration` would overflow.
inline constexpr Duration kMaxDuration = hours(24 * 3650);

constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alnum(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}
// Of ASCII: never printed, and never part of a name.
constexpr bool is_control(char c) {
  return (c >= 0 && c < ' ') || c == 0x7F;
}

// In double quotes, cut to a length that fits a terminal, other than printable ASCII as "?".
std::string quoted(std::string_view value);

// INVALID_ARGUMENT: `field "value" why: right form`.
Status invalid(std::string_view field, std::string_view value, std::string_view why,
               std::string_view right_form);

// UTF-8 without NUL, at most kMaxTextBytes.
Status check_text(std::string_view field, std::string_view value);
// At least zero, at most kMaxDuration.
Status check_duration(std::string_view field, Duration value);
// At most kMaxListItems.
Status check_count(std::string_view field, size_t count);

}  // namespace swarm::model
