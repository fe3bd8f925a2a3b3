#include "runtime/probe/tcp_check.h"

#include <boost/asio/io_context.hpp>
#include <string>
#include <utility>

#include "base/asio_loop.h"
#include "runtime/probe/endpoint.h"

namespace swarm::runtime {

namespace {

using boost::asio::ip::tcp;

// "Connection refused" reads on after a colon.
std::string lower_first(std::string text) {
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  }
  return text;
}

class TcpCheck final : public Check {
 public:
  TcpCheck(AsioLoop& loop, std::vector<agent::TaskAddress> addresses)
      : loop_(loop), addresses_(std::move(addresses)), socket_(loop.context()), deadline_(loop) {}

  void run(Duration timeout, Done done) override {
    done_ = std::move(done);
    next_ = 0;
    deadline_.set_after(timeout, [this] { fail("no answer in time"); });
    // Posted, so that an empty list does not answer from inside the call.
    loop_.post(anchor_.bind([this] { connect_next(); }));
  }

 private:
  void connect_next() {
    if (next_ == addresses_.size()) {
      finish({.is_ok = true, .detail = ""});
      return;
    }
    const auto endpoint = parse_endpoint(addresses_[next_].address);
    if (!endpoint) {
      fail("not an address");
      return;
    }
    socket_ = tcp::socket(loop_.context());
    socket_.async_connect(*endpoint, anchor_.bind([this](const boost::system::error_code& error) {
      if (error) {
        fail(lower_first(error.message()));
        return;
      }
      ++next_;
      connect_next();
    }));
  }

  void fail(const std::string& why) {
    finish({.is_ok = false,
            .detail = "port " + std::to_string(addresses_[next_].target) + ": " + why});
  }

  void finish(Outcome outcome) {
    // Handlers of a connection that is given up must not speak for a later run.
    anchor_.reset();
    deadline_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    auto done = std::exchange(done_, nullptr);
    done(std::move(outcome));  // may destroy this
  }

  AsioLoop& loop_;
  std::vector<agent::TaskAddress> addresses_;
  tcp::socket socket_;
  Timer deadline_;
  size_t next_ = 0;
  Done done_;
  Anchor anchor_;
};

}  // namespace

std::unique_ptr<Check> make_tcp_check(AsioLoop& loop, std::vector<agent::TaskAddress> addresses) {
  return std::make_unique<TcpCheck>(loop, std::move(addresses));
}

}  // namespace swarm::runtime
