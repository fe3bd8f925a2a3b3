#include "cli/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/units.h"
#include "cli/session.h"

namespace swarm::cli {

namespace {

constexpr int kUnlimited = CLI::detail::expected_max_vector_size;

bool takes_value(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

}  // namespace

void throw_usage_error(const std::string& flag, std::string_view message) {
  const size_t last = flag.rfind(',');
  const std::string name = last == std::string::npos ? flag : flag.substr(last + 1);
  throw CLI::ValidationError(name, std::string(message));
}

void throw_usage_error(const std::string& flag, const Status& error) {
  throw_usage_error(flag, std::string(error.message()));
}

void add_text(CLI::App& app, const std::string& name, std::string_view type,
              const std::string& help, TextHandler handler) {
  CLI::callback_t callback = [handler = std::move(handler)](const CLI::results_t& values) {
    handler(values.back());
    return true;
  };
  app.add_option(name, std::move(callback), help)
      ->type_name(std::string(type))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_text(CLI::App& app, const std::string& name, std::string_view type,
              const std::string& help, std::string& value) {
  add_text(app, name, type, help, [&value](const std::string& text) { value = text; });
}

void add_list(CLI::App& app, const std::string& name, std::string_view type,
              const std::string& help, ListHandler handler) {
  CLI::callback_t callback = [handler = std::move(handler)](const CLI::results_t& values) {
    handler(values);
    return true;
  };
  app.add_option(name, std::move(callback), help)
      ->type_name(std::string(type))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_switch(CLI::App& app, const std::string& name, const std::string& help, bool& value) {
  add_switch(app, name, help, [&value](bool is_set) { value = is_set; });
}

void add_switch(CLI::App& app, const std::string& name, const std::string& help,
                std::function<void(bool)> handler) {
  app.add_flag_function(
      name, [handler = std::move(handler)](std::int64_t count) { handler(count > 0); }, help);
}

void add_argument(CLI::App& app, const std::string& name, bool is_required, std::string& value) {
  CLI::callback_t callback = [&value](const CLI::results_t& values) {
    value = values.front();
    return true;
  };
  app.add_option(name, std::move(callback))->expected(1)->required(is_required);
}

void add_arguments(CLI::App& app, const std::string& name, bool is_required,
                   std::vector<std::string>& values) {
  CLI::callback_t callback = [&values](const CLI::results_t& results) {
    values = results;
    return true;
  };
  app.add_option(name, std::move(callback))
      ->expected(1, kUnlimited)
      ->allow_extra_args()
      ->required(is_required);
}

void start_flag_group(CLI::App& app, const std::string& name) {
  app.option_defaults()->group(name);
}

std::vector<std::string> flags_given(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional() && option->count() > 0) {
      names.push_back(option->get_name());
    }
  }
  return names;
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
    for (const std::string& name : option->get_snames()) {
      names.push_back("-" + name);
    }
  }
  return names;
}

std::vector<std::string> values_given(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  return option == nullptr ? std::vector<std::string>{} : option->results();
}

std::vector<std::string> words_after_flags(const CLI::App& app) {
  std::vector<std::string> words = app.remaining();
  if (!words.empty() && words.front() == "--") {
    words.erase(words.begin());
  }
  return words;
}

void add_global_flags(CLI::App& app, GlobalOptions& options) {
  start_flag_group(app, "Global options");
  add_text(app, "--host", "ENDPOINT",
           "Where swarmd listens (default " + std::string(kDefaultHost) + ", or $SWARM_HOST)",
           options.host);
  add_value<Duration>(
      app, "--timeout", "DURATION",
      "Give up after this long (default: no limit on waiting for convergence)",
      [](std::string_view text) -> Result<Duration> {
        SWARM_ASSIGN_OR_RETURN(const Duration timeout, parse_positive_duration(text));
        if (timeout == Duration{}) {
          return absl::InvalidArgumentError("must be longer than 0s");
        }
        return timeout;
      },
      [&options](Duration timeout) { options.timeout = timeout; });
}

Status check_word(std::string_view text, std::string_view words) {
  std::string_view rest = words;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('|'), rest.size());
    if (rest.substr(0, end) == text) {
      return absl::OkStatus();
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return absl::InvalidArgumentError("invalid value \"" + std::string(text) + "\": use one of " +
                                    std::string(words));
}

Result<Duration> parse_positive_duration(std::string_view text) {
  SWARM_ASSIGN_OR_RETURN(const Duration duration, parse_duration(text));
  if (duration < Duration{}) {
    return absl::InvalidArgumentError("invalid duration \"" + std::string(text) +
                                      "\": it cannot be negative");
  }
  return duration;
}

std::vector<std::string> with_empty_values_split(const CLI::App& app,
                                                 const std::vector<std::string>& arguments,
                                                 bool stops_at_first_argument) {
  std::vector<std::string> result;
  size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool is_flag = argument.size() > 1 && argument.front() == '-';
    if (argument == "--" || (!is_flag && stops_at_first_argument)) {
      break;
    }
    const size_t equals = argument.find('=');
    if (argument.starts_with("--") && equals == argument.size() - 1 &&
        takes_value(app, argument.substr(0, equals))) {
      result.push_back(argument.substr(0, equals));
      result.emplace_back();
      continue;
    }
    result.push_back(argument);
    const bool has_value_inside =
        argument.starts_with("--") ? equals != std::string::npos : argument.size() > 2;
    if (is_flag && !has_value_inside && takes_value(app, argument) && i + 1 < arguments.size()) {
      result.push_back(arguments[++i]);
    }
  }
  result.insert(result.end(), arguments.begin() + static_cast<ptrdiff_t>(i), arguments.end());
  return result;
}

}  // namespace swarm::cli
