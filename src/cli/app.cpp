#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "cli/flags.h"
#include "cli/session.h"

namespace swarm::cli {

namespace {

// CLI11's help with our usage line in place of the one it derives.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(42); }

  std::string make_usage(const CLI::App*, std::string) const override {
    return "\nUsage:  " + usage_ + "\n\n";
  }
  // Without the empty line CLI11 puts both before and after a group.
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    return CLI::Formatter::make_group(std::move(group), is_positional, std::move(options))
        .substr(1);
  }
  std::string make_positionals(const CLI::App*) const override { return ""; }

 private:
  const std::string usage_;
};

std::string examples_text(std::string_view examples) {
  std::string text = "Examples:";
  while (!examples.empty()) {
    const size_t end = examples.find('\n');
    text += "\n  " + std::string(examples.substr(0, end));
    examples.remove_prefix(end == examples.npos ? examples.size() : end + 1);
  }
  return text;
}

}  // namespace

Action prepare_app(CLI::App& app, const std::string& path, const Command& command,
                   Environment& environment, GlobalOptions& options) {
  app.description(std::string(command.summary));
  app.formatter(std::make_shared<HelpFormatter>(path + " " + std::string(command.arguments)));
  app.footer(examples_text(command.examples));
  app.allow_windows_style_options(false);
  app.prefix_command(command.stops_at_first_argument);
  Action action = command.define(app, environment);
  add_global_flags(app, options);
  return action;
}

}  // namespace swarm::cli
