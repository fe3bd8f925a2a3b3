#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "platform/terminal.h"

namespace swarm::platform {

bool is_terminal(std::FILE* stream) {
  return isatty(fileno(stream)) == 1;
}

size_t terminal_width(std::FILE* stream) {
  if (!is_terminal(stream)) {
    return 0;
  }
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return 80;
}

void occupy_closed_standard_streams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
      // The lowest free number is this one, since those below it are open by now.
      static_cast<void>(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
  }
}

}  // namespace swarm::platform
