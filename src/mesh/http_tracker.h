#pragma once

#include <string_view>
#include <vector>

#include "mesh/http_message.h"

namespace swarm::mesh {

// Watches the bytes of one client connection in both directions and knows when it is between two
// HTTP/1.x requests: only then can the mesh exchange the task behind it without anybody noticing.
// It changes no byte. Anything that is not HTTP/1.x (TLS, HTTP/2, an upgrade, a tunnel, a server
// that speaks first) is *opaque* from there on and stays with its task until it ends.
//
// Survives the exchange of the task: between requests it has no memory of the old one. Pure.
class HttpTracker {
 public:
  // More requests sent ahead than this are not followed.
  static constexpr size_t kMaxPipelined = 256;

  // Takes from the front of `bytes` what belongs to the request under way, at most to its end, and
  // returns how much. Not zero unless `bytes` is empty.
  size_t feed_request(std::string_view bytes);
  // Takes everything.
  void feed_response(std::string_view bytes);

  bool is_opaque() const { return is_opaque_; }
  // Not a byte in either direction so far.
  bool is_untouched() const { return is_untouched_; }
  // The client's next byte would begin a new request.
  bool is_between_requests() const { return !is_opaque_ && request_.is_between_messages(); }
  // Every request is answered completely and no new one has begun.
  bool is_idle() const {
    return is_between_requests() && pending_.empty() && response_.is_between_messages();
  }
  // One request is under way, all of it was seen and not a byte of an answer, and it may be asked
  // again of somebody else without harm: GET or HEAD without a body (RFC 9110, 9.2.2).
  bool may_repeat() const;
  // Nothing is under way but the beginning of a request's head, on which no server can have acted.
  bool has_partial_head() const {
    return !is_opaque_ && !is_between_requests() && pending_.empty() &&
           response_.is_between_messages();
  }
  // The request under way is forgotten: it will be fed again.
  void rewind();
  // Both sides agreed to keep the connection after the last answer.
  bool keeps_open() const { return keeps_open_; }

 private:
  struct Pending {
    bool is_head = false;
    bool is_connect = false;
    bool is_repeatable = false;
    bool keeps_open = true;
  };

  bool on_request_head();
  bool on_response_head();
  void on_response_end();

  bool is_opaque_ = false;
  bool is_untouched_ = true;
  bool keeps_open_ = true;
  bool is_unanswered_ = false;  // no byte came since a request began on an idle connection
  HttpMessageReader request_{HttpMessageReader::Side::request};
  HttpMessageReader response_{HttpMessageReader::Side::response};
  std::vector<Pending> pending_;  // in order; the first is being answered
};

}  // namespace swarm::mesh
