#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// What --format understands: literal text with fields, "{{.Name}} runs {{.Image}}". `\t` and `\n`
// are a tab and a newline.
namespace swarm::cli {

struct FormatPiece {
  bool is_field = false;
  bool as_json = false;  // "{{json .Field}}"
  std::string text;      // the literal, or the name of the field: "Spec.Name", "" for "{{.}}"
};

Result<std::vector<FormatPiece>> parse_format(std::string_view text);

// A field of the rows of one list. One without header is an ornament of the plain table: it is
// neither in the JSON nor offered to templates.
struct Field {
  std::string_view name;    // "CurrentState"
  std::string_view header;  // "CURRENT STATE"
  bool is_elastic = false;  // its column may be cut to fit the terminal

  bool is_ornament() const { return header.empty(); }
};

struct Listing {
  std::span<const Field> fields;
  std::vector<std::vector<std::string>> rows;  // one value a field
};

// "table", "json", "table TEMPLATE" or "TEMPLATE"; empty means "table". `default_table` is the
// template of the plain table, `width` the columns of the terminal it is for (0: none). Unknown
// fields are INVALID_ARGUMENT and name those there are.
Result<std::string> format_listing(const Listing& listing, std::string_view format,
                                   std::string_view default_table, size_t width = 0);

bool is_plain_table(std::string_view format);

}  // namespace swarm::cli
