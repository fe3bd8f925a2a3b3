// The swarm port and what may come to it: gRPC, peers, and strangers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>

#include "api/client/client.h"
#include "api/client/limits.h"
#include "api/peer_transport.h"
#include "api/peers/frame.h"
#include "api/server.h"
#include "api/tls_client.h"
#include "support/waiting_loop.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

using boost::asio::ip::tcp;

class FrontDoorTest : public ::testing::Test {
 protected:
  std::unique_ptr<Client> client() {
    return connect_tls(address_of(*server_), *swarm_.credentials("n2", model::Role::manager),
                       seconds(20));
  }

  tcp::socket connect(const std::string& from = "127.0.0.1") {
    tcp::socket socket(io_);
    socket.open(tcp::v4());
    socket.bind(tcp::endpoint(boost::asio::ip::make_address(from), 0));
    socket.connect(tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), server_->port()));
    return socket;
  }

  // Waits for the end of the connection; true when nothing was said before.
  static bool is_turned_away(tcp::socket& socket) {
    char byte = 0;
    boost::system::error_code error;
    return boost::asio::read(socket, boost::asio::buffer(&byte, 1), error) == 0 && error;
  }

  // Who begin as peers do and say no more. The last one goes before the first, whose time is up
  // earlier.
  std::vector<tcp::socket> silent_ones(int count, const std::function<std::string(int)>& host_of) {
    std::vector<tcp::socket> silent;
    for (int i = 0; i < count; ++i) {
      silent.push_back(connect(host_of(i)));
      boost::asio::write(silent.back(), boost::asio::buffer(kPeerPreface));
    }
    while (!is_over(silent.back())) {
      EXPECT_FALSE(is_over(silent.front()));
      loop_.idle(milliseconds(1));
    }
    return silent;
  }

  bool is_heard_from(PeerTransport& peer) {
    peer.send(raft::MemberId(1), "in the end it is heard");
    loop_.idle(milliseconds(2));
    return !manager_->raft_messages.get().empty();
  }

  static bool is_over(tcp::socket& socket) {
    char byte = 0;
    boost::system::error_code error;
    socket.non_blocking(true);
    socket.receive(boost::asio::buffer(&byte, 1), tcp::socket::message_peek, error);
    return error && error != boost::asio::error::would_block;
  }

  std::unique_ptr<PeerTransport> transport(CredentialsSource credentials) {
    auto transport = std::make_unique<PeerTransport>(
        loop_.loop(), raft::MemberId(2), std::move(credentials),
        PeerTransport::Events{.refused = [](raft::MemberId) {}, .received = {}, .is_removed = {}});
    transport->set_peer(raft::MemberId(1), address_of(*server_));
    return transport;
  }

  // Long enough for one that may speak to be heard.
  bool is_heard(CredentialsSource credentials) {
    const auto speaker = transport(std::move(credentials));
    const auto honest = transport(swarm_.source("n3", model::Role::manager));
    const size_t before = manager_->raft_messages.get().size();
    speaker->send(raft::MemberId(1), "speaker");
    loop_.until([&] {
      honest->send(raft::MemberId(1), "honest");
      loop_.idle(milliseconds(2));
      return manager_->raft_messages.get().size() > before + 20;
    });
    const auto heard = manager_->raft_messages.get();
    return std::any_of(heard.begin(), heard.end(),
                       [](const auto& message) { return message.second == "speaker"; });
  }

  TestSwarm swarm_;
  boost::asio::io_context io_;
  test::WaitingLoop loop_;
  std::shared_ptr<FakeManager> manager_ = std::make_shared<FakeManager>(swarm_);
  std::unique_ptr<FakeNode> node_ = make_manager_node(manager_);
  std::unique_ptr<Server> server_ = serve(*node_, swarm_.source("n1", model::Role::manager));
};

TEST_F(FrontDoorTest, AManagerOfTheSwarmIsHeard) {
  EXPECT_TRUE(is_heard(swarm_.source("n2", model::Role::manager)));
}

TEST_F(FrontDoorTest, AWorkerIsNotHeard) {
  EXPECT_FALSE(is_heard(swarm_.source("n2", model::Role::worker)));
}

TEST_F(FrontDoorTest, AManagerOfAnotherSwarmIsNotHeard) {
  const TestSwarm other("other");
  EXPECT_FALSE(is_heard(other.source("n2", model::Role::manager)));
}

TEST_F(FrontDoorTest, AManagerOfAnotherSwarmOfTheSameRootIsNotHeard) {
  const TestSwarm other("other", swarm_.root());
  EXPECT_FALSE(is_heard(other.source("n2", model::Role::manager)));
}

TEST_F(FrontDoorTest, WhoSpeaksAnotherProtocolIsTurnedAway) {
  for (const std::string words :
       {"GET / HTTP/1.1\r\n\r\n", "swarm-raft 2\n", "no protocol at all"}) {
    tcp::socket socket = connect();
    boost::asio::write(socket, boost::asio::buffer(words));
    EXPECT_TRUE(is_turned_away(socket)) << words;
  }
  EXPECT_TRUE(client()->list_nodes().ok());
}

TEST_F(FrontDoorTest, WhoSpeaksRaftInTheClearIsTurnedAway) {
  tcp::socket socket = connect();
  std::string words(kPeerPreface);
  append_frame(words, "2");
  append_frame(words, "message");
  boost::asio::write(socket, boost::asio::buffer(words));
  // The alert of TLS may come first.
  boost::system::error_code error;
  std::string answer(1024, '\0');
  boost::asio::read(socket, boost::asio::buffer(answer), error);
  EXPECT_TRUE(error);
  EXPECT_TRUE(manager_->raft_messages.get().empty());
}

TEST_F(FrontDoorTest, WhoSaysNothingIsTurnedAwayInTheEndAndHoldsNobodyUp) {
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 50; ++i) {
    silent.push_back(connect());
  }
  tcp::socket halfway = connect();
  boost::asio::write(halfway, boost::asio::buffer(kPeerPreface));
  EXPECT_TRUE(client()->list_nodes().ok());
  EXPECT_TRUE(is_turned_away(halfway));
  for (tcp::socket& socket : silent) {
    EXPECT_TRUE(is_turned_away(socket));
  }
}

TEST_F(FrontDoorTest, OfManyWhoDoNotShowThemselvesMostAreTurnedAwayAtOnce) {
  const std::vector<tcp::socket> silent = silent_ones(kMaxUnsettledPeers + 50, [](int number) {
    return "127.0.1." + std::to_string(1 + number / (kMaxUnsettledPeersOfHost - 1));
  });
  const auto peer = transport(swarm_.source("n2", model::Role::manager));
  EXPECT_TRUE(loop_.until([&] { return is_heard_from(*peer); })) << "when their time is up";
}

TEST_F(FrontDoorTest, OneSilentHostDoesNotKeepTheOthersOut) {
  std::vector<tcp::socket> silent;
  for (int i = 0; i < kMaxUndecided + 10; ++i) {
    silent.push_back(connect("127.0.1.1"));
  }
  EXPECT_TRUE(client()->list_nodes().ok());
  EXPECT_FALSE(is_over(silent.front())) << "all but the last are waited for";
  EXPECT_TRUE(is_over(silent.back()));
}

TEST_F(FrontDoorTest, OneHostOfBadPeersDoesNotKeepTheOthersOut) {
  std::vector<tcp::socket> silent =
      silent_ones(kMaxUnsettledPeersOfHost + 50, [](int) { return "127.0.1.1"; });
  const auto peer = transport(swarm_.source("n2", model::Role::manager));
  while (!is_heard_from(*peer)) {
    ASSERT_FALSE(is_over(silent.front()));
  }
}

TEST_F(FrontDoorTest, WhoGoesAtOnceLeavesNothing) {
  for (int i = 0; i < 50; ++i) {
    connect();
  }
  EXPECT_TRUE(client()->list_nodes().ok());
}

TEST_F(FrontDoorTest, TheServerStopsWhileStrangersWait) {
  const tcp::socket silent = connect();
  tcp::socket halfway = connect();
  boost::asio::write(halfway, boost::asio::buffer(kPeerPreface));
  EXPECT_TRUE(client()->list_nodes().ok());
  server_.reset();
  manager_->cut_peers();
  EXPECT_TRUE(is_turned_away(halfway));
}

}  // namespace
}  // namespace swarm::api
