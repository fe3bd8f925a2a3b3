#include "security/tls/fetch_root.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <thread>

#include "security/tls/certificate.h"
#include "security/tls/certificate_authority.h"

namespace swarm::security {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::HasSubstr;

const WallTime kNow(std::chrono::system_clock::now().time_since_epoch());

// A TLS server that takes one connection, counts what comes after the handshake, and ends.
class OneConnectionServer {
 public:
  OneConnectionServer(const std::string& chain, const std::string& key) {
    tls_.use_certificate_chain(asio::buffer(chain));
    tls_.use_private_key(asio::buffer(key), asio::ssl::context::pem);
    address_ = "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    thread_ = std::thread([this] { serve(); });
  }
  ~OneConnectionServer() { thread_.join(); }

  const std::string& address() const { return address_; }
  size_t received() const { return received_; }

 private:
  void serve() {
    asio::ssl::stream<tcp::socket> stream(io_, tls_);
    boost::system::error_code error;
    acceptor_.accept(stream.next_layer(), error);
    stream.handshake(asio::ssl::stream_base::server, error);
    char buffer[256];
    received_ = asio::read(stream, asio::buffer(buffer), error);
  }

  asio::io_context io_;
  asio::ssl::context tls_{asio::ssl::context::tls_server};
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)};
  std::string address_;
  std::atomic<size_t> received_ = 0;
  std::thread thread_;
};

struct SwarmOfOne {
  RootCertificate root;
  std::string key;
  std::string chain;
  std::string digest;
};

SwarmOfOne make_swarm() {
  SwarmOfOne swarm;
  swarm.root = *make_root(model::SwarmId("swarm1"), kNow);
  swarm.key = *make_key();
  const PeerIdentity identity{
      .node = model::NodeId("n1"), .role = model::Role::manager, .swarm = model::SwarmId("swarm1")};
  swarm.chain = *sign(*make_request(swarm.key), swarm.root, identity, kNow);
  swarm.digest = *digest_of(swarm.root.certificate);
  return swarm;
}

TEST(FetchRoot, GivesTheRootThatTheTokenNames) {
  const SwarmOfOne swarm = make_swarm();
  OneConnectionServer server(swarm.chain, swarm.key);
  const auto root = fetch_root(server.address(), swarm.digest, seconds(10));
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(*root, swarm.root.certificate);
}

TEST(FetchRoot, AnotherSwarmIsRefusedAndLearnsNothing) {
  const SwarmOfOne swarm = make_swarm();
  const SwarmOfOne other = make_swarm();
  size_t received = 0;
  {
    OneConnectionServer server(other.chain, other.key);
    const auto root = fetch_root(server.address(), swarm.digest, seconds(10));
    EXPECT_EQ(root.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(root.status().message(),
                HasSubstr("the certificate of 127.0.0.1 does not match the token"));
    received = server.received();
  }
  EXPECT_EQ(received, 0U);
}

TEST(FetchRoot, AServerThatDoesNotShowItsRootIsRefused) {
  const SwarmOfOne swarm = make_swarm();
  const std::string leaf =
      swarm.chain.substr(0, swarm.chain.size() - swarm.root.certificate.size());
  OneConnectionServer server(leaf, swarm.key);
  EXPECT_EQ(fetch_root(server.address(), swarm.digest, seconds(10)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(FetchRoot, NobodyThereIsAnErrorThatNamesTheAddress) {
  asio::io_context io;
  tcp::acceptor closed(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  const std::string address = "127.0.0.1:" + std::to_string(closed.local_endpoint().port());
  closed.close();
  const auto root = fetch_root(address, std::string(50, '0'), seconds(10));
  EXPECT_EQ(root.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(root.status().message(), HasSubstr(address));
}

TEST(FetchRoot, AServerThatSaysNothingIsGivenUp) {
  asio::io_context io;
  tcp::acceptor silent(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  const std::string address = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  const auto root = fetch_root(address, std::string(50, '0'), milliseconds(50));
  EXPECT_EQ(root.status().code(), absl::StatusCode::kUnavailable);
}

TEST(FetchRoot, AnAddressWithoutAPortIsInvalid) {
  for (const char* address : {"", "host", ":2377", "host:", "host:http", "host:123456", "[::1]"}) {
    EXPECT_EQ(fetch_root(address, std::string(50, '0'), seconds(1)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
}

}  // namespace
}  // namespace swarm::security
