#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/random.h"
#include "base/result.h"
#include "model/service.h"
#include "platform/port_claim.h"

namespace boost::asio {
class io_context;
}

namespace swarm::runtime {

// Chooses loopback ports for tasks: none that is in use, none given to another task of this node or
// of another swarmd on the machine (see PortClaim).
//
// They come from 20000-29999, below the range that Linux takes ports of outgoing connections from
// (32768-60999): such a connection could otherwise take a port between the choice and the moment
// the task opens it. Another program can still open it in that moment: ProcessTask sees to that.
class PortPool {
 public:
  PortPool(boost::asio::io_context& context, Random random);

  // RESOURCE_EXHAUSTED when a long search found none.
  Result<uint16_t> choose(model::PortProtocol protocol);
  // One in use by a task found again.
  void take(uint16_t port);
  void release(uint16_t port) { taken_.erase(port); }

 private:
  bool is_free(uint16_t port, model::PortProtocol protocol);

  boost::asio::io_context& context_;
  Random random_;
  // Null: a task found again runs there, and another swarmd has spoken for the port meanwhile.
  std::map<uint16_t, std::unique_ptr<platform::PortClaim>> taken_;
};

}  // namespace swarm::runtime
