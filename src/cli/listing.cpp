#include "cli/listing.h"

#include "cli/flags.h"
#include "cli/session.h"

namespace swarm::cli {

namespace {

constexpr size_t kShortId = 12;

Status invalid_filter(std::string_view text, std::string_view cure) {
  return absl::InvalidArgumentError("invalid filter '" + std::string(text) +
                                    "': " + std::string(cure));
}

std::string joined(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

bool contains(std::initializer_list<std::string_view> words, std::string_view text) {
  for (const std::string_view word : words) {
    if (word == text) {
      return true;
    }
  }
  return false;
}

}  // namespace

void add_list_flags(CLI::App& app, ListingOptions& options) {
  add_text(app, "--format", "FORMAT", "table, json, or text with fields like {{.Name}}",
           options.format);
  add_switch(app, "-q,--quiet", "Print ids only", options.is_quiet);
  add_list(app, "-f,--filter", "KEY=VALUE", "Show only what matches (may be repeated)",
           [&options](const std::vector<std::string>& filters) { options.filters = filters; });
}

void add_task_list_flags(CLI::App& app, ListingOptions& options) {
  add_list_flags(app, options);
  add_switch(app, "--no-trunc", "Do not cut ids and errors", options.no_trunc);
  add_switch(app, "--no-resolve", "Show ids instead of names", options.no_resolve);
}

Result<Filters> Filters::parse(const std::vector<std::string>& texts,
                               std::initializer_list<std::string_view> known) {
  Filters filters;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == text.npos) {
      return invalid_filter(text, "write KEY=VALUE with one of " + joined(known));
    }
    const std::string key = text.substr(0, equals);
    if (!contains(known, key)) {
      return invalid_filter(key, "use one of " + joined(known));
    }
    filters.values_[key].push_back(text.substr(equals + 1));
  }
  return filters;
}

Status Filters::check_words(std::string_view key,
                            std::initializer_list<std::string_view> words) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    return absl::OkStatus();
  }
  for (const std::string& value : found->second) {
    if (!contains(words, value)) {
      return invalid_filter(found->first + "=" + value, "its value is one of " + joined(words));
    }
  }
  return absl::OkStatus();
}

bool has_label(const model::Labels& labels, std::string_view filter) {
  const size_t equals = filter.find('=');
  const auto found = labels.find(filter.substr(0, equals));
  return found != labels.end() &&
         (equals == filter.npos || found->second == filter.substr(equals + 1));
}

int print_listing(Session& session, const Listing& listing, const ListingOptions& options,
                  std::string_view default_table) {
  const Result<std::string> text =
      format_listing(listing, options.format, default_table, session.environment().terminal.width);
  if (!text.ok()) {
    return session.fail(text.status());
  }
  session.environment().terminal.out.write(*text);
  return exit_code::kOk;
}

std::string short_id(const std::string& id) {
  return id.substr(0, kShortId);
}

}  // namespace swarm::cli
