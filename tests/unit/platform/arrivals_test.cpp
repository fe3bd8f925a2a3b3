#include "platform/arrivals.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string>
#include <vector>

#include "platform/tcp_acceptor.h"

namespace swarm::platform {
namespace {

// A TLS record of type handshake with so much in it.
std::string record(size_t content) {
  std::string bytes("\x16\x03\x01", 3);
  bytes.push_back(static_cast<char>(content >> 8));
  bytes.push_back(static_cast<char>(content));
  return bytes + std::string(content, 'x');
}

class ArrivalsTest : public ::testing::Test {
 protected:
  struct Greeted {
    Tcp::socket socket;
    Arrivals::Place place;
  };

  void listen(const Arrivals::Limits& limits) {
    arrivals_.emplace(context_, limits, [this](Tcp::socket socket, Arrivals::Place place) {
      greeted_.push_back({std::move(socket), std::move(place)});
    });
    auto acceptor = TcpAcceptor::open(context_, {boost::asio::ip::make_address("127.0.0.1"), 0},
                                      [this](Tcp::socket socket) {
                                        ++accepted_;
                                        arrivals_->add(std::move(socket));
                                      });
    ASSERT_TRUE(acceptor.ok()) << acceptor.status();
    acceptor_ = *std::move(acceptor);
  }

  Tcp::socket connect(const std::string& words, const std::string& from = "127.0.0.1") {
    Tcp::socket socket(context_);
    socket.open(Tcp::v4());
    socket.bind({boost::asio::ip::make_address(from), 0});
    socket.connect(acceptor_->address());
    boost::asio::write(socket, boost::asio::buffer(words));
    const int before = accepted_;
    EXPECT_TRUE(run_until([&] { return accepted_ > before; }));
    return socket;
  }

  // Runs the loop until it is so; gives up when nothing has happened for long.
  bool run_until(const std::function<bool()>& condition) {
    while (!condition()) {
      if (context_.run_one_for(std::chrono::seconds(20)) == 0) {
        return false;
      }
    }
    return true;
  }

  bool is_turned_away(Tcp::socket& socket) {
    std::optional<bool> is_over;
    char byte = 0;
    socket.async_receive(boost::asio::buffer(&byte, 1),
                         [&](ErrorCode error, size_t) { is_over = static_cast<bool>(error); });
    return run_until([&] { return is_over.has_value(); }) && *is_over;
  }

  boost::asio::io_context context_{1};
  std::vector<Greeted> greeted_;
  std::optional<Arrivals> arrivals_;
  std::shared_ptr<TcpAcceptor> acceptor_;
  int accepted_ = 0;
};

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(10);
constexpr std::chrono::milliseconds kShort{50};

TEST_F(ArrivalsTest, AGreetingIsHandedOverWhole) {
  listen({.waiting = {4, 4}, .handshakes = {4, 4}, .patience = kLong});
  const Tcp::socket peer = connect(record(500));
  ASSERT_TRUE(run_until([&] { return !greeted_.empty(); }));
  std::string bytes(505, '\0');
  boost::asio::read(greeted_[0].socket, boost::asio::buffer(bytes));
  EXPECT_EQ(bytes, record(500)) << "nothing was read before";
}

TEST_F(ArrivalsTest, AGreetingThatComesInPiecesIsWaitedForAndNobodyElseWaits) {
  listen({.waiting = {4, 4}, .handshakes = {1, 1}, .patience = kLong});
  const std::string greeting = record(300);
  Tcp::socket slow = connect(greeting.substr(0, 1));
  const Tcp::socket quick = connect(greeting);
  ASSERT_TRUE(run_until([&] { return greeted_.size() == 1; }));
  EXPECT_EQ(greeted_[0].socket.remote_endpoint(), quick.local_endpoint());
  greeted_.clear();
  boost::asio::write(slow, boost::asio::buffer(greeting.substr(1, 6)));
  boost::asio::write(slow, boost::asio::buffer(greeting.substr(7)));
  ASSERT_TRUE(run_until([&] { return greeted_.size() == 1; }));
  EXPECT_EQ(greeted_[0].socket.remote_endpoint(), slow.local_endpoint());
}

TEST_F(ArrivalsTest, WhatIsNotTlsIsHandedOverAtItsFirstByte) {
  listen({.waiting = {4, 4}, .handshakes = {4, 4}, .patience = kLong});
  const Tcp::socket peer = connect("s");
  EXPECT_TRUE(run_until([&] { return greeted_.size() == 1; }));
}

TEST_F(ArrivalsTest, WhoDoesNotGreetInTimeIsTurnedAway) {
  listen({.waiting = {4, 4}, .handshakes = {4, 4}, .patience = kShort});
  Tcp::socket silent = connect("");
  Tcp::socket halfway = connect(record(300).substr(0, 6));
  EXPECT_TRUE(is_turned_away(silent));
  EXPECT_TRUE(is_turned_away(halfway));
  EXPECT_TRUE(greeted_.empty());
}

TEST_F(ArrivalsTest, WhoLeavesInTheMiddleOfItsGreetingLeavesNothing) {
  listen({.waiting = {1, 1}, .handshakes = {4, 4}, .patience = kLong});
  Tcp::socket leaving = connect(record(300).substr(0, 6));
  leaving.shutdown(Tcp::socket::shutdown_send);
  EXPECT_TRUE(is_turned_away(leaving));
  const Tcp::socket next = connect(record(300));
  EXPECT_TRUE(run_until([&] { return greeted_.size() == 1; })) << "in its place";
}

TEST_F(ArrivalsTest, ARecordLargerThanTlsHasIsNotWaitedFor) {
  listen({.waiting = {4, 4}, .handshakes = {4, 4}, .patience = kLong});
  Tcp::socket socket = connect(record(60'000).substr(0, 6));
  EXPECT_TRUE(is_turned_away(socket));
}

TEST_F(ArrivalsTest, BeyondTheBoundOfOneHostItsConnectionsAreTurnedAwayAndNotThoseOfOthers) {
  listen({.waiting = {10, 2}, .handshakes = {4, 4}, .patience = kLong});
  const Tcp::socket first = connect("");
  const Tcp::socket second = connect("");
  Tcp::socket third = connect("");
  EXPECT_TRUE(is_turned_away(third));
  const Tcp::socket other = connect(record(300), "127.0.0.9");
  EXPECT_TRUE(run_until([&] { return greeted_.size() == 1; }));
}

TEST_F(ArrivalsTest, BeyondTheBoundInAllConnectionsAreTurnedAway) {
  listen({.waiting = {2, 2}, .handshakes = {4, 4}, .patience = kLong});
  const Tcp::socket first = connect("", "127.0.0.7");
  const Tcp::socket second = connect("", "127.0.0.8");
  Tcp::socket third = connect("", "127.0.0.9");
  EXPECT_TRUE(is_turned_away(third));
}

TEST_F(ArrivalsTest, APlaceIsKeptUntilItIsGivenBackAndOneHostDoesNotKeepOthersWaiting) {
  listen({.waiting = {10, 10}, .handshakes = {3, 2}, .patience = kLong});
  std::vector<Tcp::socket> flood;
  for (int i = 0; i < 4; ++i) {
    flood.push_back(connect(record(300)));
  }
  const Tcp::socket other = connect(record(300), "127.0.0.9");
  ASSERT_TRUE(run_until([&] { return greeted_.size() == 3; }));
  EXPECT_EQ(greeted_[2].socket.remote_endpoint(), other.local_endpoint());
  greeted_[0].place.free();
  ASSERT_TRUE(run_until([&] { return greeted_.size() == 4; })) << "the next that waited";
  EXPECT_EQ(greeted_[3].socket.remote_endpoint(), flood[2].local_endpoint());
}

}  // namespace
}  // namespace swarm::platform
