#include "daemon/raft_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "manager/data_key_cipher.h"
#include "platform/absolute_path.h"
#include "raft/log/log_report.h"
#include "raft/report/report_text.h"
#include "security/tls/credential_files.h"

namespace swarm::daemon {

namespace {

constexpr int kUsageError = 125;

constexpr const char* kFooter = R"(
Examples:
  swarmd raft inspect /var/lib/swarmd                     segments, terms, snapshots, members
  swarmd raft inspect --entries /var/lib/swarmd           and every entry
  swarmd raft inspect --format json /var/lib/swarmd | jq .damage

DIR is a state folder (--state-dir of swarmd) or its folder `raft`. Payloads are opened with the key
that lies in the state folder; without it everything is checked all the same, but entries stay
sealed. On a manager that runs, what is being written may show as a torn tail.

Exits with 1 and tells file, offset and cure when something is damaged.)";

struct Place {
  std::filesystem::path raft;
  std::filesystem::path key;  // its folder
};

// A state folder, or the folder in it.
Place place_of(FileSystem& files, const std::filesystem::path& directory) {
  if (files.exists(directory / "raft")) {
    return {directory / "raft", directory};
  }
  return {directory, files.exists(directory / "data.key") ? directory : directory.parent_path()};
}

// A folder that may not be looked into seems to hold nothing.
Status check_readable(FileSystem& files, const std::filesystem::path& directory) {
  for (const char* const below : {"", "log", "snapshots", "raft", "raft/log", "raft/snapshots"}) {
    const std::filesystem::path folder = *below == 0 ? directory : directory / below;
    const Status listed = files.list(folder).status();
    if (absl::IsPermissionDenied(listed)) {
      return absl::PermissionDeniedError(std::string(listed.message()) +
                                         ": run it as root, or as the user that swarmd runs as");
    }
  }
  return absl::OkStatus();
}

struct InspectOptions {
  std::string directory;
  std::string format = "table";
  bool with_entries = false;
};

int inspect(const InspectOptions& options, FileSystem& files, std::ostream& out,
            std::ostream& err) {
  const Result<std::filesystem::path> directory = platform::absolute_path(options.directory);
  if (!directory.ok()) {
    err << "swarmd: \"" << options.directory << "\" is not a path that can be found ("
        << directory.status().message()
        << "): give the state folder of a manager, or its folder raft\n";
    return 1;
  }
  if (const Status readable = check_readable(files, *directory); !readable.ok()) {
    err << "swarmd: " << readable.message() << '\n';
    return 1;
  }
  const Place place = place_of(files, *directory);
  std::unique_ptr<raft::PayloadCipher> cipher;
  Result<std::string> key = security::load_data_key(files, place.key);
  if (key.ok()) {
    cipher = std::make_unique<manager::DataKeyCipher>(*std::move(key));
  } else if (!absl::IsNotFound(key.status())) {
    err << "swarmd: " << key.status().message() << "; the entries stay sealed\n";
  }
  const Result<raft::LogReport> report = raft::report_log(files, place.raft, cipher.get());
  if (!report.ok()) {
    err << "swarmd: " << report.status().message()
        << ": give the state folder of a manager, or its folder raft\n";
    return 1;
  }
  const raft::LogReportView view{*report, place.raft, cipher == nullptr, options.with_entries};
  if (options.format == "json") {
    raft::write_json(view, out);
  } else {
    raft::write_table(view, out);
  }
  for (const Status& damage : report->damage) {
    err << "swarmd: " << damage.message() << '\n';
  }
  return report->damage.empty() ? 0 : 1;
}

}  // namespace

int run_raft_command(const std::vector<std::string>& arguments, FileSystem& files,
                     std::ostream& out, std::ostream& err) {
  InspectOptions options;
  CLI::App app("Tools for the raft log of a manager.", "swarmd raft");
  app.require_subcommand(1);
  CLI::App* const command = app.add_subcommand(
      "inspect",
      "Print what a manager's raft log and snapshots hold, and check all of it; nothing "
      "is changed");
  command->add_option("DIR", options.directory, "State folder of the manager")->required();
  command->add_option("--format", options.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command->add_flag("--entries", options.with_entries, "List every entry");
  command->footer(kFooter);
  app.footer(kFooter);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // CLI11 wants it so
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : kUsageError;
  }
  return inspect(options, files, out, err);
}

}  // namespace swarm::daemon
