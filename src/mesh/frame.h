#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/ids.h"

namespace swarm::mesh {

// What two meshes say to each other over one TLS connection, the *link*. It carries one stream at a
// time, and any number one after the other, so that a new client connection costs no handshake.
//
//   entry                         owner
//   open(task, target)  ------->          connects to the task, and only then:
//                       <-------  accepted | declined(reason)
//   data ...            <------>  data ...
//                       <-------  drain   the task is being stopped: leave when you can
//   end | close         ------->          end: half-close. close: leave, drop what still comes
//                       <-------  end | abort   abort: the task's connection broke
//
// A stream is over for a side when it has sent one of its last words and received one of the
// other's; each side gives and gets exactly one, but for a `close` after `end`, which is ignored
// when late. The owner sends no `drain` after its last word. So nothing of a stream can reach the
// next one.
enum class FrameType : uint8_t { open = 1, accepted, declined, data, drain, end, close, abort };

// A TLS record's worth.
inline constexpr size_t kMaxFramePayload = 16 * 1024 - 4;
inline constexpr size_t kFrameHeaderSize = 4;
inline constexpr size_t kMaxFrameSize = kMaxFramePayload + kFrameHeaderSize;

struct Frame {
  FrameType type = FrameType::data;
  std::string_view payload;

  size_t size() const { return kFrameHeaderSize + payload.size(); }
};

void append_frame(std::string& out, FrameType type, std::string_view payload);

// The frame at the front of `bytes`: nothing if it is not complete, INVALID_ARGUMENT if it is none.
Result<std::optional<Frame>> parse_frame(std::string_view bytes);

// Payload of `open`.
struct OpenRequest {
  model::TaskId task;
  uint16_t target = 0;

  bool operator==(const OpenRequest&) const = default;
};

std::string encode_open(const OpenRequest& request);
Result<OpenRequest> decode_open(std::string_view payload);

}  // namespace swarm::mesh
