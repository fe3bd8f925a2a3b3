#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

// Quantities as people write them. All parsers refuse trailing text, overflow and empty input with
// a sentence that shows the right form.
namespace swarm {

// Durations in Go's syntax: "1h30m", "1.5s", "250ms", "0". Signs are accepted.
Result<Duration> parse_duration(std::string_view text);
// The shortest exact form in the same syntax: "1h30m0s", "1.5s", "250ms", "0s".
std::string format_duration(Duration duration);
// One rounded unit for tables: "5 seconds", "About a minute", "2 hours".
std::string format_age(Duration age);

// Sizes: "512m", "1.5GiB", "64k", plain bytes; powers of 1,024.
Result<int64_t> parse_bytes(std::string_view text);
std::string format_bytes(int64_t bytes);

// CPUs with up to nine decimals, as billionths of a CPU: "0.5" is 500,000,000.
Result<int64_t> parse_nano_cpus(std::string_view text);
std::string format_nano_cpus(int64_t nano_cpus);

// Whole numbers in [min, max]; `what` names the value in the error.
Result<int64_t> parse_integer(std::string_view text, int64_t min, int64_t max,
                              std::string_view what);

// RFC 3339 in UTC with nanoseconds, "2026-01-31T12:00:00.000000001Z"; "" for a time that is not
// set.
std::string format_time(WallTime time);

}  // namespace swarm
