#include "daemon/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace swarm::daemon {

int StandardOutput::end(int code) {
  stream_.flush();
  if (error_ == 0) {
    return code;
  }
  if (error_ != EPIPE) {
    std::cerr << "swarmd: cannot write the output: " << std::strerror(error_) << '\n';
  }
  return code == 0 ? 1 : code;
}

StandardOutput::int_type StandardOutput::overflow(int_type character) {
  const char text = traits_type::to_char_type(character);
  return xsputn(&text, 1) == 1 ? character : traits_type::eof();
}

std::streamsize StandardOutput::xsputn(const char* text, std::streamsize size) {
  const size_t put = std::fwrite(text, 1, static_cast<size_t>(size), stdout);
  if (put != static_cast<size_t>(size)) {
    note_error();
  }
  return static_cast<std::streamsize>(put);
}

int StandardOutput::sync() {
  if (std::fflush(stdout) == 0) {
    return 0;
  }
  note_error();
  return -1;
}

void StandardOutput::note_error() {
  if (error_ == 0) {
    error_ = errno;
  }
}

}  // namespace swarm::daemon
