#include "mesh/http_tracker.h"

namespace swarm::mesh {

namespace {

using Body = HttpMessageReader::Body;
using Event = HttpMessageReader::Event;

constexpr bool is_interim(int status) {
  return status < 200;
}

}  // namespace

size_t HttpTracker::feed_request(std::string_view bytes) {
  const size_t size = bytes.size();
  is_untouched_ = is_untouched_ && bytes.empty();
  while (!is_opaque_) {
    const Event event = request_.feed(bytes);
    if (event == Event::more) return size;
    if (event == Event::end) return size - bytes.size();
    is_opaque_ = event == Event::invalid || !on_request_head();
  }
  return size;
}

bool HttpTracker::may_repeat() const {
  return is_between_requests() && pending_.size() == 1 && is_unanswered_ &&
         pending_.front().is_repeatable;
}

void HttpTracker::rewind() {
  pending_.clear();
  request_ = HttpMessageReader(HttpMessageReader::Side::request);
}

void HttpTracker::feed_response(std::string_view bytes) {
  is_unanswered_ = is_unanswered_ && bytes.empty();
  is_untouched_ = is_untouched_ && bytes.empty();
  // A server that speaks without being asked does not speak HTTP.
  if (!bytes.empty() && pending_.empty()) is_opaque_ = true;
  while (!is_opaque_) {
    const Event event = response_.feed(bytes);
    if (event == Event::more) return;
    if (event == Event::end) {
      on_response_end();
      is_opaque_ = !bytes.empty() && pending_.empty();
    } else {
      is_opaque_ = event == Event::invalid || !on_response_head();
    }
  }
}

// False: not to be followed any further.
bool HttpTracker::on_request_head() {
  const HttpHead& head = request_.head();
  if (pending_.size() >= kMaxPipelined) return false;
  if (head.has_transfer_encoding && !head.is_chunked) return false;
  is_unanswered_ = pending_.empty();
  const bool has_body = head.is_chunked || head.content_length.value_or(0) > 0;
  const bool is_repeatable = (head.method == "GET" || head.method == "HEAD") && !has_body;
  pending_.push_back(
      {head.method == "HEAD", head.method == "CONNECT", is_repeatable, head.keeps_open()});
  // With both, the encoding counts (RFC 9112, 6.3).
  request_.set_body(head.is_chunked                   ? Body::chunked
                    : head.content_length.has_value() ? Body::length
                                                      : Body::none);
  return true;
}

bool HttpTracker::on_response_head() {
  const HttpHead& head = response_.head();
  const Pending& asked = pending_.front();
  if (head.status == 101 || (asked.is_connect && head.status / 100 == 2)) return false;
  const bool has_no_body =
      asked.is_head || is_interim(head.status) || head.status == 204 || head.status == 304;
  if (has_no_body) {
    response_.set_body(Body::none);
  } else if (head.has_transfer_encoding) {
    response_.set_body(head.is_chunked ? Body::chunked : Body::until_close);
  } else {
    response_.set_body(head.content_length.has_value() ? Body::length : Body::until_close);
  }
  return true;
}

void HttpTracker::on_response_end() {
  if (is_interim(response_.head().status)) return;
  keeps_open_ = pending_.front().keeps_open && response_.head().keeps_open();
  pending_.erase(pending_.begin());
}

}  // namespace swarm::mesh
