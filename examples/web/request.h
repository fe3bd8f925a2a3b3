#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

// The head of an HTTP request, as far as the sample server cares.
namespace web {

struct Request {
  std::string_view target;
  size_t body_bytes = 0;
  bool keeps_alive = true;
  bool is_head = false;
  bool is_valid = false;
};

inline std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

template <class Number>
Number to_number(std::string_view text, Number otherwise) {
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} ? value : otherwise;
}

inline void read_header(std::string_view line, Request& request) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return;
  }
  const std::string name = lower(line.substr(0, colon));
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  if (name == "content-length") {
    request.body_bytes = to_number<size_t>(value, 0);
  } else if (name == "connection") {
    const std::string option = lower(value);
    if (option.find("close") != std::string::npos) {
      request.keeps_alive = false;
    } else if (option.find("keep-alive") != std::string::npos) {
      request.keeps_alive = true;
    }
  } else if (name == "transfer-encoding") {
    request.keeps_alive = false;  // where such a body ends is of no interest
  }
}

inline Request parse(std::string_view head) {
  Request request;
  size_t end = head.find("\r\n");
  const std::string_view line = head.substr(0, end);
  const size_t first = line.find(' ');
  const size_t second = line.rfind(' ');
  if (first == std::string_view::npos || second <= first ||
      !line.substr(second + 1).starts_with("HTTP/1.")) {
    return request;
  }
  request.is_valid = true;
  request.is_head = line.substr(0, first) == "HEAD";
  request.target = line.substr(first + 1, second - first - 1);
  request.keeps_alive = line.ends_with("HTTP/1.1");
  while (end != std::string_view::npos) {
    head.remove_prefix(end + 2);
    end = head.find("\r\n");
    read_header(head.substr(0, end), request);
  }
  return request;
}

}  // namespace web
