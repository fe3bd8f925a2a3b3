#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/random.h"
#include "raft/core/types.h"
#include "raft_plan.h"
#include "support/simulated_loop.h"

namespace swarm::test {

// The network between the members: each direction of each pair is a link that loses, repeats,
// delays and reorders, that can be cut, and clogged (messages wait) for a while.
class RaftNetwork {
 public:
  static constexpr size_t kMaxMembers = 32;  // that ever were, for ids from 1 on

  RaftNetwork(World& world, Random random, const RaftPlan& plan)
      : world_(world), random_(std::move(random)), plan_(plan) {}

  void cut(raft::MemberId from, raft::MemberId to) { link(from, to).is_cut = true; }
  void cut_both(raft::MemberId a, raft::MemberId b) {
    cut(a, b);
    cut(b, a);
  }
  void clog(raft::MemberId from, raft::MemberId to, TimePoint end) {
    link(from, to).clogged_until = end;
  }
  void join(raft::MemberId from, raft::MemberId to) {
    link(from, to).is_cut = false;
    link(from, to).clogged_until = {};
  }
  void join_all() {
    for (auto& row : links_) {
      for (Link& link : row) {
        link.is_cut = false;
      }
    }
  }
  bool can_pass(raft::MemberId from, raft::MemberId to) const {
    return !links_[from.value()][to.value()].is_cut;
  }
  // From now on it is fast and loses nothing but what is cut.
  void calm() { is_calm_ = true; }
  // Whether all that was sent before that has come.
  bool is_settled() const { return is_calm_ && world_.now() > last_from_before_; }

  // `deliver` runs for each copy that arrives; `owner` is the receiver.
  template <class Deliver>
  void send(raft::MemberId from, raft::MemberId to, World::Owner* owner, Deliver deliver) {
    Link& way = link(from, to);
    if (way.is_cut || way.in_flight >= plan_.capacity || is_lost()) {
      return;
    }
    const bool is_repeated = !is_calm_ && random_.chance(plan_.duplicate);
    const bool is_replayed = !is_calm_ && random_.chance(plan_.replay);
    if (is_repeated) {
      pass(way, owner, delay(), deliver);
    }
    if (is_replayed) {
      pass(way, owner, delay() + plan_.tick * (1 + random_.below(40)), deliver);
    }
    pass(way, owner, delay(), std::move(deliver));
  }

 private:
  struct Link {
    bool is_cut = false;
    TimePoint clogged_until{};
    size_t in_flight = 0;
  };

  Link& link(raft::MemberId from, raft::MemberId to) {
    return links_.at(from.value()).at(to.value());
  }
  bool is_lost() { return !is_calm_ && plan_.drop > 0 && random_.chance(plan_.drop); }
  Duration delay() {
    const Duration range = is_calm_ ? Duration(milliseconds(1)) : plan_.max_delay - plan_.min_delay;
    return plan_.min_delay + Duration(random_.below(static_cast<uint64_t>(range.count()) + 1));
  }

  template <class Deliver>
  void pass(Link& way, World::Owner* owner, Duration delay, Deliver deliver) {
    ++way.in_flight;
    const TimePoint when = std::max(way.clogged_until, world_.now()) + delay;
    if (!is_calm_) {
      last_from_before_ = std::max(last_from_before_, when);
    }
    world_.schedule(
        when,
        [&way, deliver = std::move(deliver)]() mutable {
          --way.in_flight;
          if (!way.is_cut) {
            deliver();
          }
        },
        owner);
  }

  World& world_;
  Random random_;
  const RaftPlan& plan_;
  bool is_calm_ = false;
  TimePoint last_from_before_{};
  std::array<std::array<Link, kMaxMembers + 1>, kMaxMembers + 1> links_{};
};

}  // namespace swarm::test
