#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/time.h"

namespace swarm {
class AsioLoop;
}

namespace swarm::api {

class PeerTls;

// The way to one peer: at most one connection at a time, the next one at once when one that worked
// breaks, later and later when none can be made. On the loop.
class PeerLink {
 public:
  // `on_refused` is called with nothing of the link on the stack: it may end it.
  // `greeting`: who this member is (frame.h).
  PeerLink(AsioLoop& loop, std::string greeting, std::string address, std::shared_ptr<PeerTls> tls,
           std::function<void()> on_refused);
  ~PeerLink();

  // Never blocks. Dropped while no connection is open or being made, and when too much waits.
  void send(std::string_view message);

 private:
  class Dial;

  void open();
  // From the connection: the peer listens; it is over.
  void welcomed();
  void ended(const std::string& reason, bool is_refused, bool is_early);

  AsioLoop& loop_;
  const std::string greeting_;
  const std::string address_;
  const std::shared_ptr<PeerTls> tls_;
  const std::function<void()> on_refused_;
  std::shared_ptr<Dial> dial_;  // null between two attempts
  Duration delay_{};            // before the next attempt
  std::string last_problem_;    // logged once, not at every attempt
  Timer retry_;
  Anchor anchor_;
};

}  // namespace swarm::api
