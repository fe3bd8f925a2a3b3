#include <string>
#include <vector>

#include "runtime/process/task_shim.h"

int main(int count, char** arguments) {
  const std::vector<std::string> rest(arguments + 1, arguments + count);
  return swarm::runtime::run_task_shim(rest);
}
