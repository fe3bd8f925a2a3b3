#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/service.h"

// The small notations of `service create` and `service update`, and what an update does to a list.
// Pure functions on values; errors are INVALID_ARGUMENT.
namespace swarm::cli {

// Words as a shell splits them: quotes and backslashes, no expansion. Unbalanced quotes are an
// error.
Result<std::vector<std::string>> split_shell_words(std::string_view text);

// "KEY=VALUE"; without "=" the value is empty. The key cannot be empty.
Result<std::pair<std::string, std::string>> parse_key_value(std::string_view text);

// "type=bind,source=/a,target=/b,readonly".
Result<model::Mount> parse_mount(std::string_view text);

// Lines "KEY=VALUE" or "KEY", with comments and empty lines left out.
Result<std::vector<std::string>> parse_env_file(std::string_view text);

// `env` is "NAME=value" in the user's order: a name that is there keeps its place.
void set_env(std::vector<std::string>& env, std::string_view name_and_value);

// Replaces the mount of the same target in place, or appends.
void set_mount(std::vector<model::Mount>& mounts, model::Mount mount);

void add_unless_there(std::vector<std::string>& list, const std::string& value);

// Whether both mean the same, however they are written; texts that are none match themselves.
bool is_same_constraint(std::string_view a, std::string_view b);

// Where both lists hold the same values, the order of `before`: a removal and addition of the same
// thing must not look like a change that replaces tasks.
template <class T>
void keep_order_if_same(const std::vector<T>& before, std::vector<T>& after) {
  if (std::is_permutation(before.begin(), before.end(), after.begin(), after.end())) {
    after = before;
  }
}

}  // namespace swarm::cli
