// supervise_once FOLDER GRACE_MS MAX_LOG_BYTES COMMAND...: runs the command under supervise() with
// its logs in FOLDER, reports "PID WARNINGS" once it runs, and writes how it ended into
// FOLDER/result as "CODE SIGNAL".
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include "platform/supervise.h"

int main(int count, char** arguments) {
  if (count < 5) {
    return 2;
  }
  const std::string folder = arguments[1];
  const int grace = std::atoi(arguments[2]);
  swarm::platform::SuperviseRequest request;
  request.command.assign(arguments + 4, arguments + count);
  request.environment = {"PATH=/usr/bin:/bin", "GREETING=hello"};
  request.workdir = folder;
  request.stdout_log = folder + "/out";
  request.stderr_log = folder + "/err";
  request.max_log_bytes = std::strtoull(arguments[3], nullptr, 10);
  request.stop_signal = SIGTERM;
  request.grace = [grace] { return swarm::milliseconds(grace); };
  request.on_started = [](const swarm::platform::ProcessId& process,
                          const std::vector<std::string>& warnings) {
    swarm::platform::write_report(std::to_string(process.pid) + " " +
                                  std::to_string(warnings.size()));
  };
  const auto result = swarm::platform::supervise(request);
  std::ofstream file(folder + "/result");
  if (result.ok()) {
    file << result->exit_code << " " << result->signal;
  } else {
    file << result.status().message();
  }
  return result.ok() ? 0 : 1;
}
