#include "base/event_loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <vector>

#include "base/asio_loop.h"
#include "base/thread_loop.h"
#include "support/simulated_loop.h"

namespace swarm {
namespace {

// Runs `body` on a real loop and waits for it.
template <class Body>
void on(EventLoop& loop, Body body) {
  std::promise<void> done;
  loop.post([&] {
    body();
    done.set_value();
  });
  done.get_future().wait();
}

template <class Loop>
class RealLoop : public ::testing::Test {};
using RealLoops = ::testing::Types<AsioLoop, ThreadLoop>;
TYPED_TEST_SUITE(RealLoop, RealLoops);

TYPED_TEST(RealLoop, RunsPostsInOrderOnItsOwnThread) {
  TypeParam loop("test");
  loop.start();
  std::vector<int> order;
  bool is_current = false;
  loop.post([&] { order.push_back(1); });
  loop.post([&] { order.push_back(2); });
  on(loop, [&] { is_current = loop.is_current(); });
  EXPECT_TRUE(is_current);
  EXPECT_FALSE(loop.is_current());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TYPED_TEST(RealLoop, RunsWhatItsOwnCallbacksPostBehindWhatWaitsAlready) {
  TypeParam loop("test");
  std::vector<int> order;
  loop.post([&] {
    order.push_back(1);
    loop.post([&] { order.push_back(3); });
  });
  loop.post([&] { order.push_back(2); });
  loop.post([&] {
    loop.post([&] {
      order.push_back(4);
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TYPED_TEST(RealLoop, LeavesTimersTheirTurnWhileCallbacksPostThemselvesAgain) {
  TypeParam loop("test");
  std::function<void()> post_again = [&] { loop.post([&] { post_again(); }); };
  post_again();
  loop.call_at(loop.now(), [&] { loop.stop(); });
  loop.run();
  SUCCEED();
}

// Posts when it is destroyed, as replies do that nobody gave.
struct Poster {
  explicit Poster(EventLoop& target) : loop(target) {}
  ~Poster() {
    loop.post([] { ADD_FAILURE() << "ran after the end"; });
  }
  EventLoop& loop;
};

TYPED_TEST(RealLoop, RunsNothingMoreOnceStoppedAndDropsItWithWhatThatPosts) {
  const auto owned = std::make_shared<int>();
  {
    TypeParam loop("test");
    loop.post([&] { loop.stop(); });
    loop.post([owned, poster = std::make_unique<Poster>(loop)] { ADD_FAILURE() << "ran"; });
    loop.run();
    loop.post([owned, poster = std::make_unique<Poster>(loop)] { ADD_FAILURE() << "ran"; });
    EXPECT_EQ(owned.use_count(), 3);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

TYPED_TEST(RealLoop, ATimerThatIsDroppedWithItsLoopMayPost) {
  TypeParam loop("test");
  loop.post([&] {
    loop.call_at(loop.now() + seconds(3600), [poster = std::make_unique<Poster>(loop)] {});
    loop.stop();
  });
  loop.run();
}

TYPED_TEST(RealLoop, FiresTimersInTheOrderOfTheirDeadlines) {
  TypeParam loop("test");
  loop.start();
  std::vector<int> order;
  std::promise<void> done;
  loop.post([&] {
    const TimePoint now = loop.now();
    loop.call_at(now + milliseconds(3), [&] {
      order.push_back(3);
      done.set_value();
    });
    loop.call_at(now + milliseconds(1), [&] { order.push_back(1); });
    loop.call_at(now + milliseconds(1), [&] { order.push_back(2); });
  });
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TYPED_TEST(RealLoop, ForgetsACancelledTimer) {
  TypeParam loop("test");
  loop.start();
  bool has_fired = false;
  std::promise<void> later;
  on(loop, [&] {
    const auto id = loop.call_at(loop.now(), [&] { has_fired = true; });
    loop.call_at(loop.now() + milliseconds(1), [&] { later.set_value(); });
    loop.cancel(id);
  });
  later.get_future().wait();
  EXPECT_FALSE(has_fired);
}

TEST(Timer, IsCancelledByItsDestruction) {
  test::World world;
  test::SimulatedLoop loop(world);
  bool has_fired = false;
  {
    Timer timer(loop);
    timer.set_after(seconds(1), [&] { has_fired = true; });
    EXPECT_TRUE(timer.is_set());
  }
  world.run_for(seconds(2));
  EXPECT_FALSE(has_fired);
}

TEST(Timer, MayBeSetAgainByItsOwnCallback) {
  test::World world;
  test::SimulatedLoop loop(world);
  Timer timer(loop);
  int fired = 0;
  std::function<void()> again = [&] {
    if (++fired < 3) {
      timer.set_after(seconds(1), again);
    }
  };
  timer.set_after(seconds(1), again);
  world.run_for(seconds(10));
  EXPECT_EQ(fired, 3);
  EXPECT_FALSE(timer.is_set());
}

TEST(Timer, WaitsForAStoredDeadline) {
  test::World world;
  test::SimulatedLoop loop(world);
  Timer timer(loop);
  const TimePoint start = world.now();
  TimePoint fired{};
  timer.set_at(loop.wall_now() + minutes(5), [&] { fired = loop.now(); });
  world.run_for(hours(1));
  EXPECT_EQ(fired - start, minutes(5));
}

TEST(Anchor, SilencesCallbacksOfADeadOwner) {
  int calls = 0;
  absl::AnyInvocable<void()> callback;
  {
    Anchor anchor;
    callback = anchor.bind([&calls] { ++calls; });
    callback();
  }
  callback();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace swarm
