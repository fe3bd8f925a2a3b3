#include "runtime/probe/http_check.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/asio_loop.h"
#include "runtime/probe/endpoint.h"

namespace swarm::runtime {

namespace {

using boost::asio::ip::tcp;

// "HTTP/1.1 200 " is 13 bytes; a status line longer than this is not looked at.
constexpr size_t kMaxStatusLine = 1024;

// The code of "HTTP/1.1 200 OK"; 0 when the text is something else.
int status_code(std::string_view line) {
  const size_t space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == std::string_view::npos) {
    return 0;
  }
  int code = 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), code);
  return code;
}

class HttpCheck final : public Check {
 public:
  HttpCheck(AsioLoop& loop, std::string address, std::string path)
      : loop_(loop),
        address_(std::move(address)),
        path_(std::move(path)),
        request_("GET " + path_ + " HTTP/1.1\r\nHost: " + address_ +
                 "\r\nUser-Agent: swarmd-health\r\nConnection: close\r\n\r\n"),
        socket_(loop.context()),
        deadline_(loop) {}

  void run(Duration timeout, Done done) override {
    done_ = std::move(done);
    received_.clear();
    deadline_.set_after(timeout, [this] { fail("no answer in time"); });
    loop_.post(anchor_.bind([this] { connect(); }));
  }

 private:
  void connect() {
    const auto endpoint = parse_endpoint(address_);
    if (!endpoint) {
      fail("not an address");
      return;
    }
    socket_ = tcp::socket(loop_.context());
    socket_.async_connect(*endpoint, anchor_.bind([this](const boost::system::error_code& error) {
      if (error) {
        fail(error.message());
        return;
      }
      send();
    }));
  }

  void send() {
    boost::asio::async_write(socket_, boost::asio::buffer(request_),
                             anchor_.bind([this](const boost::system::error_code& error, size_t) {
                               if (error) {
                                 fail(error.message());
                                 return;
                               }
                               receive();
                             }));
  }

  void receive() {
    socket_.async_read_some(
        boost::asio::buffer(chunk_),
        anchor_.bind([this](const boost::system::error_code& error, size_t got) {
          received_.append(chunk_, got);
          const size_t end = received_.find("\r\n");
          if (end != std::string::npos) {
            judge(status_code(received_.substr(0, end)));
          } else if (error || received_.size() > kMaxStatusLine) {
            fail("no HTTP answer");
          } else {
            receive();
          }
        }));
  }

  void judge(int code) {
    if (code >= 200 && code < 400) {
      finish({.is_ok = true, .detail = ""});
    } else if (code == 0) {
      fail("no HTTP answer");
    } else {
      fail("status " + std::to_string(code));
    }
  }

  void fail(const std::string& why) {
    finish({.is_ok = false, .detail = "GET http://" + address_ + path_ + ": " + why});
  }

  void finish(Outcome outcome) {
    anchor_.reset();
    deadline_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    auto done = std::exchange(done_, nullptr);
    done(std::move(outcome));  // may destroy this
  }

  AsioLoop& loop_;
  std::string address_;
  std::string path_;
  std::string request_;
  tcp::socket socket_;
  Timer deadline_;
  char chunk_[512];
  std::string received_;
  Done done_;
  Anchor anchor_;
};

}  // namespace

std::unique_ptr<Check> make_http_check(AsioLoop& loop, std::string address, std::string path) {
  return std::make_unique<HttpCheck>(loop, std::move(address), std::move(path));
}

}  // namespace swarm::runtime
