#include "base/units.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <limits>

namespace swarm {

namespace {

__extension__ using Int128 = __int128;

// Digits behind the eighteenth of a fraction count for nothing.
constexpr int64_t kFinestFraction = 1'000'000'000'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Status invalid(std::string_view kind, std::string_view text, std::string_view form) {
  return absl::InvalidArgumentError("invalid " + std::string(kind) + " \"" + std::string(text) +
                                    "\": " + std::string(form));
}

// A decimal number with an optional fraction, read from the front of `text` and scaled by `unit`
// exactly; false on no digits or overflow.
bool take_scaled(std::string_view& text, int64_t unit, int64_t& out) {
  Int128 whole = 0;
  bool has_digits = false;
  while (!text.empty() && is_digit(text.front())) {
    whole = whole * 10 + (text.front() - '0');
    if (whole > std::numeric_limits<int64_t>::max()) {
      return false;
    }
    has_digits = true;
    text.remove_prefix(1);
  }
  Int128 scaled = whole * unit;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    Int128 weight = unit;
    Int128 divisor = 1;
    while (!text.empty() && is_digit(text.front())) {
      if (divisor < kFinestFraction) {
        divisor *= 10;
        scaled += weight * (text.front() - '0') / divisor;
      }
      has_digits = true;
      text.remove_prefix(1);
    }
  }
  if (!has_digits || scaled > std::numeric_limits<int64_t>::max()) {
    return false;
  }
  out = static_cast<int64_t>(scaled);
  return true;
}

struct Unit {
  std::string_view suffix;
  int64_t size;
};

constexpr std::array kDurationUnits = {Unit{"ns", 1},
                                       Unit{"us", 1'000},
                                       Unit{"µs", 1'000},
                                       Unit{"ms", 1'000'000},
                                       Unit{"s", 1'000'000'000},
                                       Unit{"m", 60'000'000'000},
                                       Unit{"h", 3'600'000'000'000}};

constexpr std::string_view kDurationForm =
    "write numbers with units, like 300ms, 1.5s, 10m or 1h30m";

// The unit that starts at the first character that is neither digit nor point.
const Unit* find_duration_unit(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && (is_digit(text[at]) || text[at] == '.')) {
    ++at;
  }
  size_t end = at;
  while (end < text.size() && !is_digit(text[end]) && text[end] != '.') {
    ++end;
  }
  for (const Unit& unit : kDurationUnits) {
    if (unit.suffix == text.substr(at, end - at)) {
      return &unit;
    }
  }
  return nullptr;
}

std::string trimmed_decimal(int64_t value, int64_t unit) {
  std::string text = std::to_string(value / unit);
  int64_t rest = value % unit;
  if (rest == 0) {
    return text;
  }
  text.push_back('.');
  for (int64_t weight = unit / 10; rest != 0; weight /= 10) {
    text.push_back(static_cast<char>('0' + rest / weight));
    rest %= weight;
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  if (rest == "0") {
    return Duration{0};
  }
  int64_t total = 0;
  if (rest.empty()) {
    return invalid("duration", text, kDurationForm);
  }
  while (!rest.empty()) {
    const Unit* unit = find_duration_unit(rest);
    int64_t part = 0;
    if (unit == nullptr || !take_scaled(rest, unit->size, part) ||
        __builtin_add_overflow(total, part, &total)) {
      return invalid("duration", text, kDurationForm);
    }
    rest.remove_prefix(unit->suffix.size());
  }
  return Duration{is_negative ? -total : total};
}

std::string format_duration(Duration duration) {
  const int64_t count = duration.count();
  if (count == 0) {
    return "0s";
  }
  if (count < 0) {
    // The one value that has no positive counterpart is shown a nanosecond short.
    return "-" + format_duration(duration == Duration::min() ? Duration::max() : -duration);
  }
  for (size_t i = 0; i < 4; ++i) {
    static constexpr std::array<std::string_view, 3> kSmall = {"ns", "µs", "ms"};
    static constexpr std::array<int64_t, 4> kSizes = {1, 1'000, 1'000'000, 1'000'000'000};
    if (i < 3 && count < kSizes[i + 1]) {
      return trimmed_decimal(count, kSizes[i]) + std::string(kSmall[i]);
    }
  }
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t total_minutes = count / (60 * kSecond);
  std::string text;
  if (total_minutes >= 60) {
    text += std::to_string(total_minutes / 60) + "h";
  }
  if (total_minutes > 0) {
    text += std::to_string(total_minutes % 60) + "m";
  }
  return text + trimmed_decimal(count % (60 * kSecond), kSecond) + "s";
}

std::string format_age(Duration age) {
  const int64_t total = std::chrono::duration_cast<seconds>(age).count();
  if (total < 1) {
    return "Less than a second";
  }
  if (total == 1) {
    return "1 second";
  }
  if (total < 60) {
    return std::to_string(total) + " seconds";
  }
  const int64_t in_minutes = total / 60;
  if (in_minutes == 1) {
    return "About a minute";
  }
  if (in_minutes < 60) {
    return std::to_string(in_minutes) + " minutes";
  }
  const int64_t in_hours = (total + 1800) / 3600;
  if (in_hours == 1) {
    return "About an hour";
  }
  if (in_hours < 48) {
    return std::to_string(in_hours) + " hours";
  }
  if (in_hours < 24 * 14) {
    return std::to_string(in_hours / 24) + " days";
  }
  if (in_hours < 24 * 60) {
    return std::to_string(in_hours / 24 / 7) + " weeks";
  }
  if (in_hours < 24 * 365 * 2) {
    return std::to_string(in_hours / 24 / 30) + " months";
  }
  return std::to_string(in_hours / 24 / 365) + " years";
}

Result<int64_t> parse_bytes(std::string_view text) {
  constexpr std::string_view kForm = "write a number with an optional unit, like 512m, 1.5g or 64k";
  const size_t unit_at = text.find_first_not_of("0123456789.");
  const std::string suffix =
      lower(unit_at == std::string_view::npos ? std::string_view{} : text.substr(unit_at));
  int64_t unit = 1;
  if (!suffix.empty()) {
    static constexpr std::string_view kLetters = "bkmgtp";
    const size_t power = kLetters.find(suffix[0]);
    const std::string_view tail = std::string_view(suffix).substr(1);
    const bool has_known_tail = tail.empty() || (power > 0 && (tail == "b" || tail == "ib"));
    if (power == std::string_view::npos || !has_known_tail) {
      return invalid("size", text, kForm);
    }
    unit <<= 10 * power;
  }
  int64_t bytes = 0;
  std::string_view rest = text;
  if (!take_scaled(rest, unit, bytes) || rest.size() != suffix.size()) {
    return invalid("size", text, kForm);
  }
  return bytes;
}

std::string format_bytes(int64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g%s", value, kUnits[unit]);
  return text.data();
}

Result<int64_t> parse_nano_cpus(std::string_view text) {
  constexpr std::string_view kForm = "write a number of CPUs with at most nine decimals, like 0.5";
  const size_t point = text.find('.');
  if (point != std::string_view::npos && text.size() - point - 1 > 9) {
    return invalid("number of CPUs", text, kForm);
  }
  int64_t nano_cpus = 0;
  std::string_view rest = text;
  if (!take_scaled(rest, 1'000'000'000, nano_cpus) || !rest.empty()) {
    return invalid("number of CPUs", text, kForm);
  }
  return nano_cpus;
}

std::string format_nano_cpus(int64_t nano_cpus) {
  return trimmed_decimal(nano_cpus, 1'000'000'000);
}

Result<int64_t> parse_integer(std::string_view text, int64_t min, int64_t max,
                              std::string_view what) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    return invalid(
        what, text,
        "write a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value;
}

std::string format_time(WallTime time) {
  if (!is_set(time)) {
    return "";
  }
  const int64_t count = time.time_since_epoch().count();
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t whole = count / kSecond;
  int64_t rest = count % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --whole;
  }
  const std::chrono::sys_seconds instant{std::chrono::seconds(whole)};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(instant - day);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(rest));
  return text.data();
}

}  // namespace swarm
