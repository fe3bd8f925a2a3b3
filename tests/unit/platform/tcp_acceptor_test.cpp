#include "platform/tcp_acceptor.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <vector>

#include "platform/descriptors.h"

namespace swarm::platform {
namespace {

// A listener that two owners have, as two processes do while one makes way for the other.
class SharedListener : public ::testing::Test {
 protected:
  SharedListener() {
    first_ = TcpAcceptor::open(context_, {boost::asio::ip::make_address("127.0.0.1"), 0},
                               [this](Tcp::socket socket) {
                                 of_first_.push_back(std::move(socket));
                                 if (on_first_) on_first_();
                               })
                 .value();
  }

  void adopt() {
    second_ = TcpAcceptor::adopt(
        context_, TcpHandle(duplicate_descriptor(first_->native_handle()), false),
        [this](Tcp::socket socket) { of_second_.push_back(std::move(socket)); });
  }

  Tcp::socket connect() {
    Tcp::socket socket(context_);
    socket.connect(first_->address());
    return socket;
  }

  bool run_until(const std::function<bool()>& condition) {
    while (!condition()) {
      if (context_.run_one_for(std::chrono::seconds(20)) == 0) return false;
    }
    return true;
  }

  boost::asio::io_context context_{1};
  std::vector<Tcp::socket> of_first_;
  std::vector<Tcp::socket> of_second_;
  std::function<void()> on_first_;
  std::shared_ptr<TcpAcceptor> first_;
  std::shared_ptr<TcpAcceptor> second_;
};

// asio's own accept takes the second client out of the kernel while the first is handed over.
TEST_F(SharedListener, WhoIsNotHandedOverWhenOneOwnerClosesIsServedByTheOther) {
  std::vector<Tcp::socket> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(connect());
  on_first_ = [this] {
    if (second_ != nullptr) return;
    adopt();
    boost::asio::post(context_, [this] { first_->close(); });
  };
  ASSERT_TRUE(run_until([&] { return of_first_.size() + of_second_.size() == clients.size(); }))
      << of_first_.size() << " and " << of_second_.size();
  EXPECT_GT(of_second_.size(), 0u);
}

TEST_F(SharedListener, AnOwnerThatClosesInTheMiddleOfATurnTakesNoMore) {
  const Tcp::socket one = connect();
  const Tcp::socket two = connect();
  on_first_ = [this] {
    adopt();
    first_->close();
  };
  ASSERT_TRUE(run_until([&] { return of_second_.size() == 1; }));
  EXPECT_EQ(of_first_.size(), 1u);
}

}  // namespace
}  // namespace swarm::platform
