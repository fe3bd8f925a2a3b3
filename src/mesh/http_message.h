#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swarm::mesh {

// What of a request or response head decides where the message ends and whether the connection is
// kept after it.
struct HttpHead {
  int minor_version = 1;
  std::string method;  // of a request
  int status = 0;      // of a response
  std::optional<uint64_t> content_length;
  bool has_transfer_encoding = false;
  bool is_chunked = false;  // "chunked" is the last transfer encoding
  bool says_close = false;
  bool says_keep_alive = false;

  bool keeps_open() const {
    return minor_version == 0 ? (says_keep_alive && !says_close) : !says_close;
  }
};

// Finds the ends of HTTP/1.x messages (RFC 9112) in one direction of a connection. Keeps no more
// than the line it is in. What it does not understand is `invalid`: then the bytes are no longer
// HTTP to us, which costs balancing but never correctness. Pure; no thread rule.
class HttpMessageReader {
 public:
  enum class Side { request, response };
  enum class Event {
    more,     // everything was consumed, nothing has ended
    head,     // the head is complete: call `set_body`, then feed the rest
    end,      // the message is complete; the next byte belongs to the next one
    invalid,  // not HTTP/1.x, or ambiguous
  };
  enum class Body { none, length, chunked, until_close };

  // Longer lines and heads are not worth following.
  static constexpr size_t kMaxLine = 64 * 1024;
  static constexpr size_t kMaxHead = 256 * 1024;

  explicit HttpMessageReader(Side side) : side_(side) {}

  // Removes from the front of `bytes` what was read up to the event.
  Event feed(std::string_view& bytes);
  void set_body(Body body);
  const HttpHead& head() const { return head_; }
  // No byte of a next message was seen.
  bool is_between_messages() const { return state_ == State::start && line_.empty(); }

 private:
  enum class State { start, headers, length, chunk_size, chunk_end, trailers, until_close, done };

  Event feed_line(std::string_view& bytes);
  Event on_line(std::string_view line);
  bool parse_start(std::string_view line);
  bool parse_header(std::string_view line);
  bool parse_chunk_size(std::string_view line);
  bool may_be_start(std::string_view begin) const;

  Side side_;
  State state_ = State::start;
  bool is_chunk_ = false;  // `remaining_` counts a chunk, not a whole body
  uint64_t remaining_ = 0;
  size_t head_size_ = 0;
  std::string line_;
  HttpHead head_;
};

}  // namespace swarm::mesh
