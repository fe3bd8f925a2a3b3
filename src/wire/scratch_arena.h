#pragma once

#include <google/protobuf/arena.h>

#include <cstddef>

namespace swarm::wire {

// Where a message lives for the moment of its coding: on the stack as far as most of them go, the
// rest on the heap. Message by message on the heap, coding would be mostly allocation.
class ScratchArena {
 public:
  // Lives as long as the arena.
  template <class Message>
  Message& make() {
    return *google::protobuf::Arena::CreateMessage<Message>(&arena_);
  }

 private:
  static constexpr size_t kBytes = 8 << 10;

  alignas(std::max_align_t) char first_[kBytes];
  google::protobuf::Arena arena_{first_, kBytes};
};

}  // namespace swarm::wire
