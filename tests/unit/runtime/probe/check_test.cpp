#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <optional>

#include "runtime/probe/http_check.h"
#include "runtime/probe/tcp_check.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {
namespace {

using boost::asio::ip::tcp;

// Listens on loopback; sends `answer` to whoever connects, or nothing at all.
class TinyServer {
 public:
  TinyServer(boost::asio::io_context& context, std::string answer)
      : acceptor_(context, {boost::asio::ip::address_v4::loopback(), 0}),
        socket_(context),
        answer_(std::move(answer)) {
    accept();
  }

  std::string address() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  void close() { acceptor_.close(); }
  const std::string& received() const { return received_; }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) {
        return;
      }
      socket_ = std::move(socket);
      socket_.async_read_some(boost::asio::buffer(buffer_),
                              [this](boost::system::error_code failed, size_t got) {
                                if (failed) {
                                  return;
                                }
                                received_.append(buffer_, got);
                                boost::asio::write(socket_, boost::asio::buffer(answer_), failed);
                              });
      accept();
    });
  }

  tcp::acceptor acceptor_;
  tcp::socket socket_;
  std::string answer_;
  std::string received_;
  char buffer_[1024];
};

class Checks : public testing::Test {
 protected:
  Check::Outcome run(Check& check, Duration timeout = seconds(10)) {
    std::optional<Check::Outcome> outcome;
    check.run(timeout, [&](Check::Outcome got) { outcome = std::move(got); });
    EXPECT_FALSE(outcome.has_value()) << "never from inside the call";
    EXPECT_TRUE(loop_.until([&] { return outcome.has_value(); }));
    return outcome.value_or(Check::Outcome{});
  }
  boost::asio::io_context& context() { return loop_.loop().context(); }

  test::WaitingLoop loop_;
};

TEST_F(Checks, TcpSucceedsWhenAllAddressesAccept) {
  const TinyServer one(context(), "");
  const TinyServer two(context(), "");
  const auto check = make_tcp_check(loop_.loop(), {{80, one.address()}, {81, two.address()}});
  EXPECT_TRUE(run(*check).is_ok);
  EXPECT_TRUE(run(*check).is_ok) << "and again";
}

TEST_F(Checks, TcpFailsWhenOneRefuses) {
  const TinyServer one(context(), "");
  TinyServer two(context(), "");
  const std::string gone = two.address();
  two.close();
  const auto check = make_tcp_check(loop_.loop(), {{80, one.address()}, {81, gone}});
  const auto outcome = run(*check);
  EXPECT_FALSE(outcome.is_ok);
  EXPECT_EQ(outcome.detail, "port 81: connection refused");
}

TEST_F(Checks, TcpSucceedsWithoutAddresses) {
  const auto check = make_tcp_check(loop_.loop(), {});
  EXPECT_TRUE(run(*check).is_ok);
}

TEST_F(Checks, TcpRefusesNames) {
  const auto check = make_tcp_check(loop_.loop(), {{80, "localhost:80"}});
  EXPECT_EQ(run(*check).detail, "port 80: not an address");
}

TEST_F(Checks, HttpSucceedsOnAGoodStatus) {
  const TinyServer server(context(), "HTTP/1.1 204 No Content\r\n\r\n");
  const auto check = make_http_check(loop_.loop(), server.address(), "/health");
  EXPECT_TRUE(run(*check).is_ok);
  EXPECT_TRUE(server.received().starts_with("GET /health HTTP/1.1\r\nHost: 127.0.0.1:"))
      << server.received();
}

TEST_F(Checks, HttpFailsOnABadStatus) {
  const TinyServer server(context(), "HTTP/1.1 503 Service Unavailable\r\n\r\n");
  const auto check = make_http_check(loop_.loop(), server.address(), "/health");
  const auto outcome = run(*check);
  EXPECT_FALSE(outcome.is_ok);
  EXPECT_EQ(outcome.detail, "GET http://" + server.address() + "/health: status 503");
}

TEST_F(Checks, HttpFailsOnSomethingElse) {
  const TinyServer server(context(), "SSH-2.0-OpenSSH\r\n");
  const auto check = make_http_check(loop_.loop(), server.address(), "/");
  EXPECT_EQ(run(*check).detail, "GET http://" + server.address() + "/: no HTTP answer");
}

TEST_F(Checks, HttpGivesUpOnAServerThatDoesNotAnswer) {
  const TinyServer server(context(), "");
  const auto check = make_http_check(loop_.loop(), server.address(), "/");
  EXPECT_EQ(run(*check, milliseconds(50)).detail,
            "GET http://" + server.address() + "/: no answer in time");
}

TEST_F(Checks, DestroyedCheckStaysSilent) {
  const TinyServer server(context(), "HTTP/1.1 200 OK\r\n\r\n");
  auto check = make_http_check(loop_.loop(), server.address(), "/");
  bool has_answered = false;
  check->run(seconds(10), [&](Check::Outcome) { has_answered = true; });
  check.reset();
  loop_.idle(milliseconds(50));
  EXPECT_FALSE(has_answered);
}

}  // namespace
}  // namespace swarm::runtime
