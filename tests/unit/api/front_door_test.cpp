// The swarm port and what may come to it: gRPC, peers, and strangers.

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>

#include "api/agent_client.h"
#include "api/channel.h"
#include "api/client/client.h"
#include "api/client/deadline.h"
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

  std::unique_ptr<PeerTransport> transport(CredentialsSource credentials,
                                           raft::MemberId self = raft::MemberId(2)) {
    auto transport = std::make_unique<PeerTransport>(
        loop_.loop(), self, std::move(credentials),
        PeerTransport::Events{.refused = [](raft::MemberId) {}, .received = {}, .is_removed = {}});
    transport->set_peer(raft::MemberId(1), address_of(*server_));
    return transport;
  }

  // What a TLS client says first, in full.
  static std::string client_hello() {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(context.get()), &SSL_free);
    BIO* const out = BIO_new(BIO_s_mem());
    SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), out);
    SSL_set_connect_state(client.get());
    SSL_do_handshake(client.get());
    std::string bytes(BIO_ctrl_pending(out), '\0');
    BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

  // Whether the other end says something.
  static bool is_answered(tcp::socket& socket) {
    char byte = 0;
    boost::system::error_code error;
    return boost::asio::read(socket, boost::asio::buffer(&byte, 1), error) == 1;
  }

  // Waits for the end of the connection, whatever is said before.
  static void await_end(tcp::socket& socket) {
    std::string bytes(1 << 16, '\0');
    boost::system::error_code error;
    while (!error) {
      socket.read_some(boost::asio::buffer(bytes), error);
    }
  }

  // Long enough for one that may speak to be heard.
  bool is_heard(CredentialsSource credentials) {
    const auto speaker = transport(std::move(credentials));
    const auto honest = transport(swarm_.source("n3", model::Role::manager), raft::MemberId(3));
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
  append_frame(words, "2 process1");
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
  for (int i = 0; i < kMaxWaiting + 10; ++i) {
    silent.push_back(connect("127.0.1.1"));
  }
  EXPECT_TRUE(client()->list_nodes().ok());
  EXPECT_FALSE(is_over(silent.front())) << "all but the last are waited for";
  EXPECT_TRUE(is_over(silent.back()));
}

TEST_F(FrontDoorTest, AHandshakeThatIsNotGoneOnWithKeepsItsPlaceUntilItsTimeIsUp) {
  std::vector<tcp::socket> halfway;
  for (int i = 0; i < kMaxStrangersOfHost + 20; ++i) {
    halfway.push_back(connect("127.0.1.1"));
    boost::asio::write(halfway.back(), boost::asio::buffer(client_hello()));
  }
  EXPECT_TRUE(is_answered(halfway.front())) << "the server's side of the handshake";
  EXPECT_TRUE(client()->list_nodes().ok());
  EXPECT_TRUE(is_turned_away(halfway.back())) << "nobody gave a place back in time";
  await_end(halfway.front());
}

TEST_F(FrontDoorTest, HalfAGreetingIsNotWaitedForLong) {
  std::vector<tcp::socket> halfway;
  for (int i = 0; i < 100; ++i) {
    halfway.push_back(connect("127.0.1.1"));
    boost::asio::write(halfway.back(), boost::asio::buffer(client_hello().substr(0, 6)));
  }
  EXPECT_TRUE(client()->list_nodes().ok());
  for (tcp::socket& socket : halfway) {
    EXPECT_TRUE(is_turned_away(socket));
  }
}

// A joining node has no certificate either, but it asks at once.
TEST_F(FrontDoorTest, AStrangerThatAsksNothingIsEndedAndANodeThatHasShownItselfStays) {
  int sessions_ended = 0;
  const auto agents =
      make_dispatcher_client(loop_.loop(), swarm_.source("n5", model::Role::worker));
  const auto session =
      agents->open(address_of(*server_),
                   {.on_message = [](auto) {},
                    .on_closed = [&](const Status&, const std::string&) { ++sessions_ended; }});
  session->send(model::AgentHello{});
  ASSERT_TRUE(manager_->sessions.wait([](const auto& all) { return all.size() == 1; }));
  const auto stranger =
      make_tls_channel(address_of(*server_),
                       {.ca_certificate = swarm_.root().certificate, .certificate = "", .key = ""});
  ASSERT_TRUE(stranger->WaitForConnected(deadline_after(seconds(20))));
  EXPECT_TRUE(stranger->WaitForStateChange(GRPC_CHANNEL_READY, deadline_after(seconds(60))));
  loop_.idle(milliseconds(2));
  EXPECT_EQ(sessions_ended, 0) << "it is older than the stranger";
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
