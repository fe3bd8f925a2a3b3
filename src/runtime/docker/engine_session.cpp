#include "runtime/docker/engine_session.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <utility>

#include "base/units.h"

namespace swarm::runtime {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::local::stream_protocol;

// What is read at once, and the bound on a header.
constexpr size_t kChunkBytes = 16 * 1024;
// What the system allows for the name of a Unix socket.
constexpr size_t kMaxSocketPath = 107;

// Everything an operation in flight points to: it must live until the operation has ended, which is
// after the session was given up.
struct Connection {
  explicit Connection(asio::io_context& context) : socket(context) {
    parser.header_limit(kChunkBytes);
    parser.body_limit(boost::none);  // bounded by who takes the data
  }

  stream_protocol::socket socket;
  http::request<http::string_body> request;
  http::response_parser<http::buffer_body> parser;
  beast::flat_buffer buffer;
  char chunk[kChunkBytes];
};

class Session final : public EngineSession {
  // Goes on with `next` unless the step failed or the session was given up.
  template <class Next>
  auto then(Next next) {
    return anchor_.bind([this, keep = connection_, next = std::move(next)](
                            const beast::error_code& error, auto&&...) mutable {
      // The error that only says: the chunk is full, give me another.
      if (error && error != http::error::need_buffer) {
        fail(error);
        return;
      }
      next();
    });
  }

 public:
  Session(AsioLoop& loop, const std::string& path, const EngineRequest& request,
          EngineEvents events)
      : path_(path),
        silence_limit_(request.silence_limit),
        events_(std::move(events)),
        connection_(std::make_shared<Connection>(loop.context())),
        deadline_(loop) {
    auto& message = connection_->request;
    message.version(11);
    message.method_string(request.method);
    message.target(request.target);
    message.set(http::field::host, "docker");
    message.set(http::field::user_agent, "swarmd");
    message.set(http::field::connection, "close");
    if (!request.body.empty()) {
      message.set(http::field::content_type, "application/json");
      message.body() = request.body;
    }
    message.prepare_payload();
    if (path.size() > kMaxSocketPath) {
      loop.post(anchor_.bind([this] {
        finish(absl::FailedPreconditionError("the path of the engine's socket is longer than " +
                                             std::to_string(kMaxSocketPath) + " bytes: " + path_));
      }));
      return;
    }
    limit(request.answer_limit);
    connection_->socket.async_connect(path_, then([this] { send(); }));
  }

  ~Session() override { close(); }

 private:
  void send() {
    http::async_write(connection_->socket, connection_->request, then([this] { read_header(); }));
  }

  void read_header() {
    http::async_read_header(connection_->socket, connection_->buffer, connection_->parser,
                            then([this] { take_header(); }));
  }

  void take_header() {
    const auto& message = connection_->parser.get();
    const EngineHeader header{.status = static_cast<int>(message.result_int()),
                              .api_version = std::string(message["Api-Version"])};
    if (events_.on_header) {
      events_.on_header(header);
    }
    read_body();
  }

  void read_body() {
    if (connection_->parser.is_done()) {
      finish(absl::OkStatus());
      return;
    }
    limit(silence_limit_);
    auto& body = connection_->parser.get().body();
    body.data = connection_->chunk;
    body.size = sizeof connection_->chunk;
    http::async_read_some(connection_->socket, connection_->buffer, connection_->parser,
                          then([this] { take_body(); }));
  }

  void take_body() {
    const size_t got = sizeof connection_->chunk - connection_->parser.get().body().size;
    if (got > 0) {
      const Status status = events_.on_data({connection_->chunk, got});
      if (!status.ok()) {
        finish(status);
        return;
      }
    }
    read_body();
  }

  void limit(Duration time) {
    if (time <= Duration::zero()) {
      deadline_.cancel();
      return;
    }
    deadline_.set_after(time, [this, time] {
      finish(absl::UnavailableError("the engine at " + path_ + " did not answer within " +
                                    format_duration(time)));
    });
  }

  void fail(const beast::error_code& error) {
    finish(
        absl::UnavailableError("the engine at " + path_ + " does not answer: " + error.message()));
  }

  void finish(Status status) {
    close();
    auto on_end = std::exchange(events_.on_end, nullptr);
    on_end(std::move(status));  // may destroy this
  }

  void close() {
    anchor_.reset();
    deadline_.cancel();
    beast::error_code ignored;
    connection_->socket.close(ignored);
  }

  std::string path_;
  Duration silence_limit_;
  EngineEvents events_;
  std::shared_ptr<Connection> connection_;
  Timer deadline_;
  Anchor anchor_;
};

}  // namespace

std::unique_ptr<EngineSession> open_session(AsioLoop& loop, const std::string& socket,
                                            const EngineRequest& request, EngineEvents events) {
  return std::make_unique<Session>(loop, socket, request, std::move(events));
}

}  // namespace swarm::runtime
