#include <string>
#include <vector>

#include "api/client/client.h"
#include "cli/program.h"
#include "cli/system_environment.h"
#include "platform/terminal.h"

int main(int argc, char** argv) {
  swarm::platform::occupy_closed_standard_streams();
  swarm::cli::SystemEnvironment system(SWARM_VERSION, &swarm::api::Client::connect);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return swarm::cli::run(arguments, system.environment());
}
