#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/terminal.h"

namespace swarm::platform {

bool is_terminal(std::FILE* stream) {
  return isatty(fileno(stream)) == 1;
}

size_t terminal_width(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return 80;
}

}  // namespace swarm::platform
