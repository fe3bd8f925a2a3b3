#include "cli/table.h"

#include <algorithm>

namespace swarm::cli {

namespace {

constexpr size_t kPadding = 3;
constexpr size_t kMinColumn = 10;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The run of digits at the front without leading zeros; takes it off `text`.
std::string_view take_number(std::string_view& text) {
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

std::vector<size_t> column_widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), kMinColumn);
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]) + kPadding);
    }
  }
  return widths;
}

size_t longest_cell(const std::vector<std::vector<std::string>>& rows, size_t column) {
  size_t longest = 0;
  for (const std::vector<std::string>& row : rows) {
    longest = std::max(longest, column < row.size() ? display_width(row[column]) : 0);
  }
  return longest;
}

// Of the longest line: its last cell is not padded.
size_t table_width(const std::vector<std::vector<std::string>>& rows,
                   const std::vector<size_t>& widths) {
  size_t longest = 0;
  for (const std::vector<std::string>& row : rows) {
    size_t width = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      width += i + 1 < row.size() ? widths[i] : display_width(row[i]);
    }
    longest = std::max(longest, width);
  }
  return longest;
}

// A quoted text keeps its closing quote.
std::string cut_cell(const std::string& cell, size_t width) {
  const bool is_quoted = cell.size() > 1 && cell.front() == '"' && cell.back() == '"';
  if (!is_quoted || display_width(cell) <= width) {
    return cut_to_width(cell, width);
  }
  return cut_to_width(cell.substr(0, cell.size() - 1), width - 1) + "\"";
}

}  // namespace

size_t display_width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string cut_to_width(std::string_view text, size_t width) {
  if (display_width(text) <= width) {
    return std::string(text);
  }
  if (width == 0) {
    return "";
  }
  size_t columns = 0;
  size_t end = 0;
  for (; end < text.size(); ++end) {
    if (!is_continuation(text[end]) && columns++ == width - 1) {
      break;
    }
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string layout_table(std::vector<std::vector<std::string>> rows, const TableLimits& limits) {
  std::vector<size_t> widths = column_widths(rows);
  for (const size_t column : limits.elastic) {
    const size_t total = table_width(rows, widths);
    if (limits.width == 0 || total <= limits.width || column >= widths.size()) {
      continue;
    }
    const size_t longest = longest_cell(rows, column);
    const size_t excess = total - limits.width;
    const size_t kept = std::max(kMinElastic, longest - std::min(longest, excess));
    for (std::vector<std::string>& row : rows) {
      if (column < row.size()) {
        row[column] = cut_cell(row[column], kept);
      }
    }
    widths = column_widths(rows);
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) {
        text.append(widths[i] - display_width(row[i]), ' ');
      }
    }
    text.push_back('\n');
  }
  return text;
}

std::string capitalised(std::string_view word) {
  std::string text(word);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view left = take_number(a);
      const std::string_view right = take_number(b);
      if (left != right) {
        return left.size() != right.size() ? left.size() < right.size() : left < right;
      }
      continue;
    }
    if (a.front() != b.front()) {
      return a.front() < b.front();
    }
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.empty() && !b.empty();
}

}  // namespace swarm::cli
