#include "cli/format.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/escape.h"
#include "cli/table.h"

namespace swarm::cli {

namespace {

std::string with_escapes(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 't' || next == 'n') {
      result.push_back(next == 't' ? '\t' : '\n');
      ++i;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

Result<FormatPiece> parse_field(std::string_view inside) {
  std::string_view name = trimmed(inside);
  FormatPiece piece{.is_field = true, .as_json = false, .text = {}};
  if (name.starts_with("json ")) {
    piece.as_json = true;
    name = trimmed(name.substr(5));
  }
  const bool is_path = name.starts_with('.') && name.find_first_of(" |()\"") == name.npos;
  if (!is_path) {
    return absl::InvalidArgumentError(
        "cannot read \"{{" + std::string(inside) +
        "}}\" in --format: write fields as {{.Name}} or {{json .Name}}");
  }
  piece.text = name.substr(1);
  return piece;
}

std::optional<size_t> index_of(const Listing& listing, std::string_view name) {
  for (size_t i = 0; i < listing.fields.size(); ++i) {
    if (listing.fields[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

Status check_fields(const Listing& listing, const std::vector<FormatPiece>& pieces) {
  for (const FormatPiece& piece : pieces) {
    const bool is_whole_row = piece.as_json && piece.text.empty();
    if (!piece.is_field || is_whole_row || index_of(listing, piece.text)) {
      continue;
    }
    std::string known;
    for (const Field& field : listing.fields) {
      known += field.is_ornament() ? "" : " ." + std::string(field.name);
    }
    return absl::InvalidArgumentError("unknown field \"." + piece.text + "\" in --format: use" +
                                      known);
  }
  return absl::OkStatus();
}

std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string row_as_json(const Listing& listing, const std::vector<std::string>& row) {
  nlohmann::json json = nlohmann::json::object();
  for (size_t i = 0; i < listing.fields.size(); ++i) {
    if (!listing.fields[i].is_ornament()) {
      json[std::string(listing.fields[i].name)] = row[i];
    }
  }
  return dump(json);
}

// A cell of a table stays on its line, and as wide as it was measured.
std::vector<std::string> as_cells(const std::vector<std::string>& row) {
  std::vector<std::string> cells;
  for (const std::string& value : row) {
    cells.push_back(escaped(on_one_line(value)));
  }
  return cells;
}

std::string render_row(const Listing& listing, const std::vector<FormatPiece>& pieces,
                       const std::vector<std::string>& row) {
  std::string text;
  for (const FormatPiece& piece : pieces) {
    if (!piece.is_field) {
      text += piece.text;
    } else if (piece.text.empty()) {
      text += row_as_json(listing, row);
    } else {
      const std::string& value = row[*index_of(listing, piece.text)];
      text += piece.as_json ? dump(value) : value;
    }
  }
  return text;
}

std::vector<std::string> split_cells(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const size_t tab = line.find('\t');
    cells.emplace_back(line.substr(0, tab));
    if (tab == line.npos) {
      return cells;
    }
    line.remove_prefix(tab + 1);
  }
}

// The columns that hold nothing but an elastic field.
std::vector<size_t> elastic_columns(const Listing& listing,
                                    const std::vector<std::string>& headers) {
  std::vector<size_t> columns;
  for (size_t i = 0; i < headers.size(); ++i) {
    for (const Field& field : listing.fields) {
      if (field.is_elastic && field.header == headers[i]) {
        columns.push_back(i);
      }
    }
  }
  return columns;
}

std::string render_table(const Listing& listing, const std::vector<FormatPiece>& pieces,
                         size_t width) {
  std::vector<std::string> headers;
  for (const Field& field : listing.fields) {
    headers.emplace_back(field.header);
  }
  std::vector<std::vector<std::string>> lines;
  lines.push_back(split_cells(render_row(listing, pieces, headers)));
  for (const std::vector<std::string>& row : listing.rows) {
    lines.push_back(split_cells(render_row(listing, pieces, as_cells(row))));
  }
  const TableLimits limits{.width = width, .elastic = elastic_columns(listing, lines.front())};
  return layout_table(std::move(lines), limits);
}

}  // namespace

Result<std::vector<FormatPiece>> parse_format(std::string_view raw) {
  const std::string text = with_escapes(raw);
  std::string_view rest = text;
  std::vector<FormatPiece> pieces;
  while (!rest.empty()) {
    const size_t open = rest.find("{{");
    if (open != 0) {
      pieces.push_back(
          {.is_field = false, .as_json = false, .text = std::string(rest.substr(0, open))});
    }
    if (open == rest.npos) {
      break;
    }
    const size_t close = rest.find("}}", open);
    if (close == rest.npos) {
      return absl::InvalidArgumentError("a \"{{\" in --format has no \"}}\"");
    }
    SWARM_ASSIGN_OR_RETURN(FormatPiece piece, parse_field(rest.substr(open + 2, close - open - 2)));
    pieces.push_back(std::move(piece));
    rest.remove_prefix(close + 2);
  }
  return pieces;
}

bool is_plain_table(std::string_view format) {
  return format.empty() || format == "table";
}

Result<std::string> format_listing(const Listing& listing, std::string_view format,
                                   std::string_view default_table, size_t width) {
  std::string text;
  if (format == "json") {
    for (const std::vector<std::string>& row : listing.rows) {
      text += row_as_json(listing, row) + "\n";
    }
    return text;
  }
  if (is_plain_table(format)) {
    SWARM_ASSIGN_OR_RETURN(const std::vector<FormatPiece> pieces, parse_format(default_table));
    return render_table(listing, pieces, width);
  }
  const bool is_table = format.starts_with("table ");
  SWARM_ASSIGN_OR_RETURN(const std::vector<FormatPiece> pieces,
                         parse_format(is_table ? format.substr(6) : format));
  SWARM_RETURN_IF_ERROR(check_fields(listing, pieces));
  if (is_table) {
    return render_table(listing, pieces, width);
  }
  for (const std::vector<std::string>& row : listing.rows) {
    text += render_row(listing, pieces, row) + "\n";
  }
  return text;
}

}  // namespace swarm::cli
