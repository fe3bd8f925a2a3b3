#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::cli {

// Columns of a terminal that UTF-8 text takes, one a code point (no wide characters are printed by
// this program itself).
size_t display_width(std::string_view text);

// At most `width` columns; what is cut off is replaced by one "…".
std::string cut_to_width(std::string_view text, size_t width);

// What a table may cut to fit its terminal.
struct TableLimits {
  size_t width = 0;             // columns of the terminal; 0: no limit
  std::vector<size_t> elastic;  // columns whose cells may be cut, down to kMinElastic
};
inline constexpr size_t kMinElastic = 30;

// Lays out rows as the reference does: a column is as wide as its longest cell and three spaces, at
// least ten; the last one is not padded. Every line ends with a newline.
std::string layout_table(std::vector<std::vector<std::string>> rows,
                         const TableLimits& limits = {});

// "running" -> "Running".
std::string capitalised(std::string_view word);

// Compares with digits taken as numbers: "web2" < "web10".
bool natural_less(std::string_view a, std::string_view b);

}  // namespace swarm::cli
