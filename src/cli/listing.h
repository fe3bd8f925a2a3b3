#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/format.h"
#include "model/labels.h"

namespace CLI {
class App;
}

namespace swarm::cli {

class Session;

// The flags of commands that print a list.
struct ListingOptions {
  std::string format;
  bool is_quiet = false;
  bool no_trunc = false;
  bool no_resolve = false;
  std::vector<std::string> filters;
};

void add_list_flags(CLI::App& app, ListingOptions& options);       // --format -q --filter
void add_task_list_flags(CLI::App& app, ListingOptions& options);  // and --no-trunc --no-resolve

// "KEY=VALUE" of --filter: values of one key are alternatives, different keys must all hold.
class Filters {
 public:
  // INVALID_ARGUMENT on a key that is not among `known`.
  static Result<Filters> parse(const std::vector<std::string>& texts,
                               std::initializer_list<std::string_view> known);

  // True when the key was not given, or `predicate` holds for one of its values.
  template <class Predicate>
  bool match(std::string_view key, Predicate predicate) const {
    const auto found = values_.find(key);
    if (found == values_.end()) {
      return true;
    }
    for (const std::string& value : found->second) {
      if (predicate(value)) {
        return true;
      }
    }
    return false;
  }
  // INVALID_ARGUMENT when a value of `key` is not one of `words`.
  Status check_words(std::string_view key, std::initializer_list<std::string_view> words) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// "KEY" or "KEY=VALUE" against labels.
bool has_label(const model::Labels& labels, std::string_view filter);

// Prints the list as asked; gives the exit code.
int print_listing(Session& session, const Listing& listing, const ListingOptions& options,
                  std::string_view default_table);

// The first twelve characters, as tables show ids.
std::string short_id(const std::string& id);

}  // namespace swarm::cli
