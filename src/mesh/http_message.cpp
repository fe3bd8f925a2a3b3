#include "mesh/http_message.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace swarm::mesh {

namespace {

constexpr size_t kMaxMethod = 24;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

bool is_token_char(char c) {
  const bool is_alnum = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
  return is_alnum || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit` with every trimmed element of a comma separated list.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (const std::string_view element = trim(list.substr(0, comma)); !element.empty()) {
      visit(element);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

template <class Number>
bool parse_whole(std::string_view text, Number& value, int base = 10) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return !text.empty() && error == std::errc() && stop == text.data() + text.size();
}

// "HTTP/1.0" or "HTTP/1.1".
bool parse_version(std::string_view text, int& minor) {
  if (text != "HTTP/1.1" && text != "HTTP/1.0") return false;
  minor = text.back() - '0';
  return true;
}

}  // namespace

HttpMessageReader::Event HttpMessageReader::feed(std::string_view& bytes) {
  while (true) {
    if (state_ == State::done) {
      state_ = State::start;
      return Event::end;
    }
    if (bytes.empty()) return Event::more;
    if (state_ == State::until_close) {
      bytes = {};
      return Event::more;
    }
    if (state_ == State::length) {
      const uint64_t taken = std::min<uint64_t>(remaining_, bytes.size());
      bytes.remove_prefix(static_cast<size_t>(taken));
      remaining_ -= taken;
      if (remaining_ == 0) state_ = is_chunk_ ? State::chunk_end : State::done;
      continue;
    }
    if (const Event event = feed_line(bytes); event != Event::more) return event;
  }
}

void HttpMessageReader::set_body(Body body) {
  is_chunk_ = false;
  switch (body) {
    case Body::none:
      state_ = State::done;
      return;
    case Body::length:
      remaining_ = head_.content_length.value_or(0);
      state_ = remaining_ == 0 ? State::done : State::length;
      return;
    case Body::chunked:
      state_ = State::chunk_size;
      return;
    case Body::until_close:
      state_ = State::until_close;
      return;
  }
}

// Takes one line, or what there is of it.
HttpMessageReader::Event HttpMessageReader::feed_line(std::string_view& bytes) {
  const size_t newline = bytes.find('\n');
  const size_t taken = newline == std::string_view::npos ? bytes.size() : newline + 1;
  if (line_.size() + taken > kMaxLine || head_size_ + taken > kMaxHead) return Event::invalid;
  head_size_ += taken;
  const std::string_view part = bytes.substr(0, newline);
  bytes.remove_prefix(taken);
  if (newline == std::string_view::npos || !line_.empty()) line_.append(part);
  // A line that came in one piece is read where it is.
  std::string whole;
  std::string_view line = part;
  if (!line_.empty()) line = line_;
  if (state_ == State::start && !may_be_start(line)) return Event::invalid;
  if (newline == std::string_view::npos) return Event::more;

  if (!line_.empty()) {
    whole.swap(line_);
    line = whole;
  }
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return on_line(line);
}

HttpMessageReader::Event HttpMessageReader::on_line(std::string_view line) {
  switch (state_) {
    case State::start:
      // Empty lines before a request are to be ignored (RFC 9112, 2.2).
      if (line.empty()) {
        head_size_ = 0;
        return side_ == Side::request ? Event::more : Event::invalid;
      }
      head_ = HttpHead{};
      if (!parse_start(line)) return Event::invalid;
      state_ = State::headers;
      return Event::more;
    case State::headers:
      if (!line.empty()) return parse_header(line) ? Event::more : Event::invalid;
      head_size_ = 0;
      return Event::head;
    case State::chunk_size:
      head_size_ = 0;
      return parse_chunk_size(line) ? Event::more : Event::invalid;
    case State::chunk_end:
      if (!line.empty()) return Event::invalid;
      head_size_ = 0;
      state_ = State::chunk_size;
      return Event::more;
    case State::trailers:
      if (line.empty()) {
        head_size_ = 0;
        state_ = State::done;
      }
      return Event::more;
    case State::length:
    case State::until_close:
    case State::done:
      break;
  }
  SWARM_CHECK(false, "a state without lines was given a line");
  return Event::invalid;
}

// Decides early, so that a binary protocol is not collected as one long line.
bool HttpMessageReader::may_be_start(std::string_view begin) const {
  if (begin.empty() || begin == "\r") return true;
  if (side_ == Side::response) {
    constexpr std::string_view kPrefix = "HTTP/1.";
    const size_t common = std::min(kPrefix.size(), begin.size());
    return begin.substr(0, common) == kPrefix.substr(0, common);
  }
  const size_t space = begin.find(' ');
  const std::string_view method = begin.substr(0, space);
  const bool is_open = space == std::string_view::npos;
  const std::string_view word =
      is_open && method.back() == '\r' ? method.substr(0, method.size() - 1) : method;
  return !word.empty() && word.size() <= kMaxMethod &&
         std::all_of(word.begin(), word.end(), is_token_char);
}

bool HttpMessageReader::parse_start(std::string_view line) {
  const size_t first = line.find(' ');
  if (first == std::string_view::npos) return false;
  if (side_ == Side::request) {
    const size_t last = line.rfind(' ');
    head_.method = line.substr(0, first);
    return last > first + 1 && parse_version(line.substr(last + 1), head_.minor_version);
  }
  const std::string_view status = line.substr(first + 1, 3);
  return parse_version(line.substr(0, first), head_.minor_version) && status.size() == 3 &&
         parse_whole(status, head_.status) && head_.status >= 100;
}

bool HttpMessageReader::parse_header(std::string_view line) {
  // A folded line continues the value before it. None of those we read is ever folded in practice;
  // to guess here is how requests are smuggled.
  if (line.front() == ' ' || line.front() == '\t') return false;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equals_ignoring_case(name, "content-length")) {
    uint64_t length = 0;
    if (!parse_whole(value, length)) return false;
    if (head_.content_length.has_value() && *head_.content_length != length) return false;
    head_.content_length = length;
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    head_.has_transfer_encoding = true;
    for_each_element(value, [this](std::string_view coding) {
      head_.is_chunked = equals_ignoring_case(coding, "chunked");
    });
  } else if (equals_ignoring_case(name, "connection")) {
    for_each_element(value, [this](std::string_view option) {
      head_.says_close = head_.says_close || equals_ignoring_case(option, "close");
      head_.says_keep_alive = head_.says_keep_alive || equals_ignoring_case(option, "keep-alive");
    });
  }
  return true;
}

bool HttpMessageReader::parse_chunk_size(std::string_view line) {
  const std::string_view digits = trim(line.substr(0, line.find(';')));
  if (!parse_whole(digits, remaining_, 16)) return false;
  is_chunk_ = true;
  state_ = remaining_ == 0 ? State::trailers : State::length;
  return true;
}

}  // namespace swarm::mesh
