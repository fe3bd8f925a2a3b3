#pragma once

#include <cstddef>
#include <deque>
#include <utility>

namespace swarm::api {

// What waits to be written to one stream, of which gRPC takes one message at a time. Not
// thread-safe: its owner's mutex guards it.
template <class Message>
class WriteQueue {
 public:
  explicit WriteQueue(size_t max_bytes) : max_bytes_(max_bytes) {}

  // False, and nothing changed, when it does not fit any more. A single message always fits.
  bool push(Message message, size_t bytes) {
    if (bytes_ > 0 && bytes_ + bytes > max_bytes_) {
      return false;
    }
    bytes_ += bytes;
    waiting_.emplace_back(std::move(message), bytes);
    return true;
  }

  // The next message, to be written now; null while one is being written or nothing waits. It stays
  // valid until `written`.
  const Message* begin_write() {
    if (is_writing_ || waiting_.empty()) {
      return nullptr;
    }
    is_writing_ = true;
    return &waiting_.front().first;
  }

  void written() {
    bytes_ -= waiting_.front().second;
    waiting_.pop_front();
    is_writing_ = false;
  }

  bool is_idle() const { return waiting_.empty(); }

 private:
  const size_t max_bytes_;
  size_t bytes_ = 0;
  bool is_writing_ = false;
  std::deque<std::pair<Message, size_t>> waiting_;  // references stay valid while it grows
};

}  // namespace swarm::api
