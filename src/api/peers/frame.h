#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// What managers say on a connection of Raft. The one that has messages connects:
//
//   it sends      kPeerPreface, in the clear; then both do the handshake of TLS
//   it sends      a frame with its member id in decimal, a space, and the name of its process,
//   which
//                 is random: two of them with one id are a copied state folder
//   the other     a frame without content, or one that says why it will not listen, and then ends
//   it sends      a frame for each message, for as long as both live
//
// A frame is a length of four bytes, the least significant first, and as many bytes.
namespace swarm::api {

// Tells such a connection from one of gRPC, which begins with TLS at once.
inline constexpr std::string_view kPeerPreface = "swarm-raft 1\n";

void append_frame(std::string& out, std::string_view payload);

// Cuts what arrives into frames.
class FrameReader {
 public:
  // Where the next bytes belong; then `filled` says how many came.
  std::span<char> room();
  void filled(size_t bytes) { end_ += bytes; }

  // The next frame, valid until `room` is called; empty when it is not all there yet.
  // INVALID_ARGUMENT when it is larger than a message may be.
  Result<std::optional<std::string_view>> next();

 private:
  std::vector<char> bytes_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t wanted_ = 0;  // of the frame that is not complete
};

}  // namespace swarm::api
