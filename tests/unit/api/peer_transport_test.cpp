#include "api/peer_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>

#include "api/server.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

const raft::MemberId kPeer(1);
const raft::MemberId kSelf(2);

class Transport : public ::testing::Test {
 protected:
  void SetUp() override {
    serve("127.0.0.1:0");
    transport_ = std::make_unique<PeerTransport>(
        loop_.loop(), kSelf, swarm_.source("n2", model::Role::manager),
        PeerTransport::Events{.refused = [this](raft::MemberId peer) { refused_.push_back(peer); },
                              .received = {},
                              .is_removed = {}});
  }

  void serve(const std::string& address) {
    server_ = api::serve(*node_, swarm_.source("n1", model::Role::manager), address);
    address_ = address_of(*server_);
  }

  // Sends until something arrives that was not there before: what is sent while there is no stream
  // is lost, as Raft expects.
  bool send_until_received(const std::string& message) {
    const size_t before = manager_->raft_messages.get().size();
    return loop_.until([&] {
      transport_->send(kPeer, message);
      loop_.idle(milliseconds(2));
      return manager_->raft_messages.get().size() > before;
    });
  }

  void end_process() {
    server_.reset();
    manager_->cut_peers();
  }

  bool is_received(size_t count) {
    return loop_.until([&] { return manager_->raft_messages.get().size() == count; });
  }

  TestSwarm swarm_;
  test::WaitingLoop loop_;
  std::shared_ptr<FakeManager> manager_ = std::make_shared<FakeManager>(swarm_);
  std::unique_ptr<FakeNode> node_ = make_manager_node(manager_);
  std::unique_ptr<Server> server_;
  std::string address_;
  std::vector<raft::MemberId> refused_;
  std::unique_ptr<PeerTransport> transport_;
};

TEST_F(Transport, MessagesArriveInOrderAndNameTheirSender) {
  transport_->set_peer(kPeer, address_);
  for (int i = 0; i < 1000; ++i) {
    transport_->send(kPeer, std::to_string(i));
  }
  ASSERT_TRUE(is_received(1000));
  const auto received = manager_->raft_messages.get();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(received[i].first, model::MemberId(2));
    EXPECT_EQ(received[i].second, std::to_string(i));
  }
  EXPECT_TRUE(refused_.empty());
}

TEST_F(Transport, ALargeMessageArrivesWhole) {
  transport_->set_peer(kPeer, address_);
  std::string large(3 << 20, 'x');
  large += std::string("\0end", 4);
  transport_->send(kPeer, large);
  ASSERT_TRUE(is_received(1));
  EXPECT_EQ(manager_->raft_messages.get()[0].second, large);
}

TEST_F(Transport, SnapshotsHaveAConnectionOfTheirOwn) {
  transport_->set_peer(kPeer, address_);
  transport_->send_bulk(kPeer, "part");
  ASSERT_TRUE(is_received(1));
  EXPECT_EQ(manager_->raft_messages.get()[0].second, "part");
  EXPECT_TRUE(send_until_received("message"));
}

TEST_F(Transport, AConnectionThatIsResetIsMadeAnew) {
  transport_->set_peer(kPeer, address_);
  transport_->send_bulk(kPeer, "part");
  ASSERT_TRUE(send_until_received("before"));
  transport_->reset_peer(kPeer);
  EXPECT_TRUE(send_until_received("after"));
  EXPECT_TRUE(refused_.empty());
}

TEST_F(Transport, AProcessThatGoesIsNoticedAsRefused) {
  transport_->set_peer(kPeer, address_);
  ASSERT_TRUE(send_until_received("hello"));
  end_process();
  ASSERT_TRUE(loop_.until([this] { return !refused_.empty(); }));
  EXPECT_EQ(refused_[0], kPeer);
}

TEST_F(Transport, ANewProcessAtTheSameAddressIsReachedAgain) {
  transport_->set_peer(kPeer, address_);
  ASSERT_TRUE(send_until_received("first"));
  end_process();
  ASSERT_TRUE(loop_.until([this] { return !refused_.empty(); }));
  serve(address_);
  EXPECT_TRUE(send_until_received("second"));
  EXPECT_EQ(manager_->raft_messages.get().back().second, "second");
}

TEST_F(Transport, ANobodyIsRefusedFromTheStart) {
  transport_->set_peer(raft::MemberId(9), closed_address());
  ASSERT_TRUE(loop_.until([this] { return !refused_.empty(); }));
  EXPECT_EQ(refused_[0], raft::MemberId(9));
}

TEST_F(Transport, ANewAddressReplacesTheOld) {
  transport_->set_peer(kPeer, closed_address());
  transport_->set_peer(kPeer, address_);
  EXPECT_TRUE(send_until_received("hello"));
}

TEST_F(Transport, WithoutAPeerMessagesAreDropped) {
  transport_->send(kPeer, "nobody");
  transport_->set_peer(kPeer, address_);
  ASSERT_TRUE(send_until_received("hello"));
  transport_->remove_peer(kPeer);
  transport_->remove_peer(kPeer);
  transport_->send(kPeer, "nobody");
  for (const auto& [from, message] : manager_->raft_messages.get()) {
    EXPECT_EQ(message, "hello");
  }
}

TEST_F(Transport, APeerThatTakesNothingNeverBlocksTheLoop) {
  using boost::asio::ip::tcp;
  boost::asio::io_context io;
  tcp::acceptor silent(io, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  transport_->set_peer(kPeer, "127.0.0.1:" + std::to_string(silent.local_endpoint().port()));
  const std::string message(1 << 20, 'x');
  for (int i = 0; i < 200; ++i) {
    transport_->send(kPeer, message);  // 200 MiB: all but the bound is dropped
  }
  transport_->set_peer(raft::MemberId(3), address_);
  transport_->send(raft::MemberId(3), "others are not held up");
  EXPECT_TRUE(is_received(1));
}

TEST_F(Transport, DialsBackAndTellsWhoAnswers) {
  const auto dial = [this](const std::string& address, const std::string& node) {
    std::optional<Status> outcome;
    transport_->dial_back()(address, model::NodeId(node),
                            [&outcome](Status status) { outcome = std::move(status); });
    EXPECT_TRUE(loop_.until([&] { return outcome.has_value(); }));
    return outcome.value_or(absl::UnknownError("nothing"));
  };
  EXPECT_EQ(dial(address_, "n1"), absl::OkStatus());
  EXPECT_EQ(dial(address_, "n7"), absl::FailedPreconditionError("node n1 answers there"));
  const Status refused = dial(closed_address(), "n1");
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(refused.message(), "Connection refused");
  // Whoever takes the connection and says nothing does not hold it up for ever.
  using boost::asio::ip::tcp;
  boost::asio::io_context io;
  tcp::acceptor silent(io, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  EXPECT_EQ(dial("127.0.0.1:" + std::to_string(silent.local_endpoint().port()), "n1").code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(Transport, ARemovedManagerIsHeardNoMore) {
  transport_->set_peer(kPeer, address_);
  ASSERT_TRUE(send_until_received("hello"));
  manager_->remove_node("n2");
  const size_t before = manager_->raft_messages.get().size();
  for (int i = 0; i < 20; ++i) {
    transport_->send(kPeer, "still here");
    loop_.idle(milliseconds(1));
  }
  EXPECT_EQ(manager_->raft_messages.get().size(), before);
}

TEST_F(Transport, AfterItsEndNothingIsCalled) {
  transport_->set_peer(kPeer, address_);
  transport_->set_peer(raft::MemberId(9), closed_address());
  transport_->send(kPeer, "hello");
  transport_.reset();
  refused_.clear();
  loop_.idle(milliseconds(50));
  EXPECT_TRUE(refused_.empty());
}

TEST_F(Transport, ACopyOfAMemberIsNotHeardWhileTheFirstLives) {
  transport_->set_peer(kPeer, address_);
  ASSERT_TRUE(send_until_received("first"));
  auto copy = std::make_unique<PeerTransport>(
      loop_.loop(), kSelf, swarm_.source("n2", model::Role::manager),
      PeerTransport::Events{.refused = [](raft::MemberId) {}, .received = {}, .is_removed = {}});
  copy->set_peer(kPeer, address_);
  const auto heard_from_copy = [this] {
    const auto heard = manager_->raft_messages.get();
    return std::any_of(heard.begin(), heard.end(),
                       [](const auto& message) { return message.second == "copy"; });
  };
  // As long as some attempts take.
  for (int i = 0; i < 50; ++i) {
    copy->send(kPeer, "copy");
    ASSERT_TRUE(send_until_received("first"));
  }
  EXPECT_FALSE(heard_from_copy());
  transport_.reset();
  EXPECT_TRUE(loop_.until([&] {
    copy->send(kPeer, "copy");
    loop_.idle(milliseconds(2));
    return heard_from_copy();
  })) << "the first is gone";
}

}  // namespace
}  // namespace swarm::api
