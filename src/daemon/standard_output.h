#pragma once

#include <ostream>
#include <streambuf>

namespace swarm::daemon {

// Standard output that knows why it could not be written: std::cout keeps no error number, and by
// the end of a program nobody else does.
class StandardOutput final : private std::streambuf {
 public:
  StandardOutput() : stream_(this) {}

  std::ostream& stream() { return stream_; }
  // The exit code of a program that would end with `code`: 1 when its output was lost, which is
  // told on stderr unless it is only that nobody reads any more.
  int end(int code);

 private:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;
  void note_error();

  std::ostream stream_;
  int error_ = 0;  // the first
};

}  // namespace swarm::daemon
