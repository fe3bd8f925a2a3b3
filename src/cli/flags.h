#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace CLI {
class App;
}  // namespace CLI

// Ways to declare flags that all commands share. Names are CLI11's ("-e,--env"); `type` is what the
// help shows for the value, and where it is a list of words ("pause|continue") also what completion
// offers. Bad values are reported as usage errors while parsing.
namespace swarm::cli {

struct GlobalOptions;

// Ends parsing with a usage error about `flag`.
[[noreturn]] void throw_usage_error(const std::string& flag, std::string_view message);
[[noreturn]] void throw_usage_error(const std::string& flag, const Status& error);

using TextHandler = std::function<void(const std::string&)>;
using ListHandler = std::function<void(const std::vector<std::string>&)>;

// A flag with one value; given twice, the last one counts.
void add_text(CLI::App& app, const std::string& name, std::string_view type,
              const std::string& help, TextHandler handler);
void add_text(CLI::App& app, const std::string& name, std::string_view type,
              const std::string& help, std::string& value);

// The same with a parser, whose errors become usage errors.
template <class T>
void add_value(CLI::App& app, const std::string& name, std::string_view type,
               const std::string& help, std::function<Result<T>(std::string_view)> parse,
               std::function<void(T)> handler) {
  add_text(app, name, type, help,
           [name, parse = std::move(parse), handler = std::move(handler)](const std::string& text) {
             Result<T> value = parse(text);
             if (!value.ok()) {
               throw_usage_error(name, value.status());
             }
             handler(*std::move(value));
           });
}

// A flag that may be repeated; the handler gets all values in order.
void add_list(CLI::App& app, const std::string& name, std::string_view type,
              const std::string& help, ListHandler handler);

// A flag without value; "--name=false" is understood.
void add_switch(CLI::App& app, const std::string& name, const std::string& help, bool& value);
void add_switch(CLI::App& app, const std::string& name, const std::string& help,
                std::function<void(bool)> handler);

// Arguments; SERVICE and NODE are completed with the names the swarm knows.
void add_argument(CLI::App& app, const std::string& name, bool is_required, std::string& value);
void add_arguments(CLI::App& app, const std::string& name, bool is_required,
                   std::vector<std::string>& values);

// Flags declared from here on are under this heading of the help text.
void start_flag_group(CLI::App& app, const std::string& name);

// After parsing: the long names of the flags that were given, "--replicas".
std::vector<std::string> flags_given(const CLI::App& app);
// Of all flags that can be given: "--replicas", "-q".
std::vector<std::string> flag_names(const CLI::App& app);
// While or after parsing: the values given to one flag.
std::vector<std::string> values_given(const CLI::App& app, const std::string& name);
// After parsing a command that stops at the first argument: that argument and all after it.
std::vector<std::string> words_after_flags(const CLI::App& app);

void add_global_flags(CLI::App& app, GlobalOptions& options);

// The value among `words` ("pause|continue"); the error names them.
Status check_word(std::string_view text, std::string_view words);

// A flag whose value is one of the words of `words`, which is also its type in the help.
template <class T>
void add_choice(CLI::App& app, const std::string& name, std::string_view words,
                const std::string& help, std::optional<T> (*parse)(std::string_view),
                std::function<void(T)> handler) {
  add_value<T>(
      app, name, words, help,
      [words = std::string(words), parse](std::string_view text) -> Result<T> {
        SWARM_RETURN_IF_ERROR(check_word(text, words));
        return *parse(text);
      },
      std::move(handler));
}

// Durations that cannot be negative.
Result<Duration> parse_positive_duration(std::string_view text);

// Rewrites "--flag=" as two words, because CLI11 takes the word after it for the value.
std::vector<std::string> with_empty_values_split(const CLI::App& app,
                                                 const std::vector<std::string>& arguments,
                                                 bool stops_at_first_argument);

}  // namespace swarm::cli
