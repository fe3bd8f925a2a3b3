#include "cli/session.h"

#include <algorithm>
#include <utility>

namespace swarm::cli {

namespace {

std::string host_of(const Environment& environment, const GlobalOptions& options) {
  if (!options.host.empty()) {
    return options.host;
  }
  const std::optional<std::string> from_environment = environment.variable("SWARM_HOST");
  if (from_environment && !from_environment->empty()) {
    return *from_environment;
  }
  return std::string(kDefaultHost);
}

void write_line(Output& output, std::string_view line) {
  std::string text(line);
  text.push_back('\n');
  output.write(text);
}

constexpr std::string_view kOutOfSequence = "update out of sequence";

bool is_out_of_sequence(const Status& status) {
  return absl::IsAborted(status) && std::string(status.message()).starts_with(kOutOfSequence);
}

}  // namespace

Session::Session(Environment& environment, GlobalOptions options)
    : environment_(environment), options_(std::move(options)) {}

api::Client& Session::client(Duration deadline) {
  if (client_ == nullptr) {
    client_ = environment_.connect(host_of(environment_, options_),
                                   std::min(deadline, options_.timeout.value_or(deadline)));
  }
  return *client_;
}

void Session::print(std::string_view line) {
  write_line(environment_.terminal.out, line);
}

void Session::print_error(std::string_view line) {
  write_line(environment_.terminal.err, line);
}

int Session::fail(const Status& status) {
  std::string message(status.message());
  if (absl::IsAborted(status) && !is_out_of_sequence(status)) {
    message = std::string(kOutOfSequence) + ", try again: " + message;
  }
  print_error("Error: " + message);
  return exit_code::kError;
}

Status Session::until_in_sequence(const std::function<Status()>& change) {
  constexpr int kAttempts = 5;
  Status status = change();
  for (int attempt = 1; attempt < kAttempts && is_out_of_sequence(status); ++attempt) {
    status = change();
  }
  return status;
}

}  // namespace swarm::cli
