#include "api/peers/frame.h"

#include <algorithm>
#include <cstdint>

#include "api/client/limits.h"

namespace swarm::api {

namespace {

constexpr size_t kHeader = 4;
// What TLS hands out at once.
constexpr size_t kLeastRoom = 16 * 1024;

}  // namespace

void append_frame(std::string& out, std::string_view payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  for (size_t i = 0; i < kHeader; ++i) {
    out.push_back(static_cast<char>(size >> (8 * i)));
  }
  out.append(payload);
}

std::span<char> FrameReader::room() {
  std::copy(bytes_.begin() + static_cast<ptrdiff_t>(begin_),
            bytes_.begin() + static_cast<ptrdiff_t>(end_), bytes_.begin());
  end_ -= begin_;
  begin_ = 0;
  // After a large frame its room is given back.
  const size_t needed = std::max(wanted_, end_ + kLeastRoom);
  if (bytes_.size() != needed) {
    bytes_.resize(needed);
    bytes_.shrink_to_fit();
  }
  return std::span(bytes_).subspan(end_);
}

Result<std::optional<std::string_view>> FrameReader::next() {
  const std::string_view there(bytes_.data() + begin_, end_ - begin_);
  wanted_ = 0;
  if (there.size() < kHeader) {
    return std::nullopt;
  }
  size_t size = 0;
  for (size_t i = 0; i < kHeader; ++i) {
    size |= static_cast<size_t>(static_cast<unsigned char>(there[i])) << (8 * i);
  }
  if (size > kMaxRequestBytes) {
    return absl::InvalidArgumentError("a message of " + std::to_string(size) + " bytes");
  }
  if (there.size() < kHeader + size) {
    wanted_ = kHeader + size;
    return std::nullopt;
  }
  begin_ += kHeader + size;
  return there.substr(kHeader, size);
}

}  // namespace swarm::api
