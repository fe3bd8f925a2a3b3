#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/random.h"
#include "support/simulated_loop.h"

namespace swarm::test {

// The network between named machines: slow, lossy and cut as it is told. All chance is its own.
class MachineNetwork {
 public:
  MachineNetwork(World& world, Random random) : world_(world), random_(random) {}

  // One direction of one connection: what is sent arrives in order or, after a loss, never.
  struct Channel {
    TimePoint last{};
    bool is_broken = false;
  };

  bool can_pass(const std::string& from, const std::string& to) const {
    return !cuts_.contains({from, to});
  }
  void cut(const std::string& from, const std::string& to) { cuts_.insert({from, to}); }
  void join_all() { cuts_.clear(); }
  void set_faults(double drop, Duration max_delay) {
    drop_ = drop;
    max_delay_ = max_delay;
  }

  // A message on its own: may be lost, may be overtaken.
  void send(const std::string& from, const std::string& to, Callback deliver) {
    if (random_.chance(drop_)) {
      return;
    }
    world_.schedule(world_.now() + delay(),
                    [this, from, to, deliver = std::move(deliver)]() mutable {
                      if (can_pass(from, to)) {
                        deliver();
                      }
                    });
  }

  // A message on a connection, which a cut breaks for good.
  void send_on(const std::shared_ptr<Channel>& channel, const std::string& from,
               const std::string& to, Callback deliver) {
    const TimePoint due = std::max(channel->last, world_.now() + delay());
    channel->last = due;
    world_.schedule(due, [this, channel, from, to, deliver = std::move(deliver)]() mutable {
      channel->is_broken = channel->is_broken || !can_pass(from, to);
      if (!channel->is_broken) {
        deliver();
      }
    });
  }

 private:
  Duration delay() {
    return microseconds(100) + Duration(random_.below(static_cast<uint64_t>(max_delay_.count())));
  }

  World& world_;
  Random random_;
  double drop_ = 0;
  Duration max_delay_ = milliseconds(1);
  std::set<std::pair<std::string, std::string>> cuts_;
};

}  // namespace swarm::test
