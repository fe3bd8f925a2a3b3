#include "mesh/frame.h"

#include "base/check.h"
#include "mesh/byte_codec.h"

namespace swarm::mesh {

void append_frame(std::string& out, FrameType type, std::string_view payload) {
  SWARM_CHECK(payload.size() <= kMaxFramePayload, "a frame that no peer would take");
  out.push_back(static_cast<char>(type));
  for (const int shift : {16, 8, 0}) {
    out.push_back(static_cast<char>(payload.size() >> shift));
  }
  out.append(payload);
}

Result<std::optional<Frame>> parse_frame(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderSize) return std::nullopt;
  const auto type = static_cast<uint8_t>(bytes[0]);
  size_t length = 0;
  for (size_t i = 1; i < kFrameHeaderSize; ++i) {
    length = length << 8 | static_cast<uint8_t>(bytes[i]);
  }
  if (type < static_cast<uint8_t>(FrameType::open) ||
      type > static_cast<uint8_t>(FrameType::abort) || length > kMaxFramePayload) {
    return absl::InvalidArgumentError("not a frame of the mesh");
  }
  if (bytes.size() < kFrameHeaderSize + length) return std::nullopt;
  return Frame{static_cast<FrameType>(type), bytes.substr(kFrameHeaderSize, length)};
}

std::string encode_open(const OpenRequest& request) {
  ByteWriter out;
  out.put_u16(request.target);
  out.put_string(request.task.value());
  return out.take();
}

Result<OpenRequest> decode_open(std::string_view payload) {
  ByteReader in(payload);
  OpenRequest request;
  request.target = in.u16();
  request.task = model::TaskId(in.string());
  if (!in.is_complete() || request.task.is_empty()) {
    return absl::InvalidArgumentError("not an open request of the mesh");
  }
  return request;
}

}  // namespace swarm::mesh
