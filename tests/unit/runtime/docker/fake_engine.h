#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace swarm::runtime {

// Recorded answers of a real engine.
inline std::string recorded(const std::string& name) {
  std::ifstream file(std::string(SWARM_TEST_DATA) + "/testdata/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A line of an engine's events: "die" with its exit code, "kill" with its signal.
inline std::string event_line(const std::string& container, const std::string& action,
                              const std::string& number = "") {
  nlohmann::json attributes = nlohmann::json::object();
  if (!number.empty()) {
    attributes[action == "kill" ? "signal" : "exitCode"] = number;
  }
  // Later than whatever the test begins.
  constexpr int64_t kFarAhead = 4'000'000'000'000'000'000;
  return nlohmann::json{{"Type", "container"},
                        {"Action", action},
                        {"Actor", {{"ID", container}, {"Attributes", attributes}}},
                        {"timeNano", kFarAhead}}
      .dump();
}

// An engine's socket with scripted answers, on the test's own loop. Answers are given per
// "METHOD /path" (without version and query); what is not scripted is 404.
class FakeEngine {
 public:
  struct Reply {
    int status = 200;
    std::string body = {};
    bool never = false;  // no answer at all
  };
  struct Request {
    std::string method;
    std::string target;  // with version and query
    std::string body = {};
  };

  FakeEngine(boost::asio::io_context& context, std::filesystem::path path)
      : context_(context), path_(std::move(path)), acceptor_(context) {
    open();
  }

  void open() {
    std::filesystem::remove(path_);
    acceptor_ = boost::asio::local::stream_protocol::acceptor(context_, path_.string());
    accept();
  }
  // As if the engine was killed.
  void close() {
    acceptor_.close();
    for (const auto& connection : connections_) {
      connection->socket.close();
    }
    streams_.clear();
  }

  void on(const std::string& call, Reply reply) {
    on(call, [reply](const Request&) { return reply; });
  }
  void on(const std::string& call, std::function<Reply(const Request&)> answer) {
    answers_[call] = std::move(answer);
  }

  // To everybody who follows the events.
  void send_event(const std::string& line) {
    for (const auto& stream : streams_) {
      send_chunk(*stream, line + "\n");
    }
  }
  bool has_follower() const { return !streams_.empty(); }

  std::string api_version = "1.41";
  // What it remembers of any container: lines of events.
  std::string history;
  std::vector<Request> requests;
  size_t count(const std::string& call) const {
    size_t found = 0;
    for (const Request& request : requests) {
      found += call_of(request) == call ? 1 : 0;
    }
    return found;
  }
  const Request& last(const std::string& call) const {
    static const Request none;
    for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
      if (call_of(*request) == call) {
        return *request;
      }
    }
    return none;
  }

 private:
  using Socket = boost::asio::local::stream_protocol::socket;
  struct Connection {
    explicit Connection(Socket accepted) : socket(std::move(accepted)) {}
    Socket socket;
    boost::beast::flat_buffer buffer;
    boost::beast::http::request<boost::beast::http::string_body> request;
  };

  static std::string call_of(const Request& request) {
    std::string path = request.target.substr(0, request.target.find('?'));
    if (path.starts_with("/v1.")) {
      path.erase(0, path.find('/', 1));
    }
    return request.method + " " + path;
  }

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
      if (error) {
        return;
      }
      auto connection = std::make_shared<Connection>(std::move(socket));
      connections_.insert(connection);
      boost::beast::http::async_read(
          connection->socket, connection->buffer, connection->request,
          [this, connection](const boost::system::error_code& failed, size_t) {
            if (!failed) {
              answer(connection);
            }
          });
      accept();
    });
  }

  void answer(const std::shared_ptr<Connection>& connection) {
    const auto& message = connection->request;
    Request request{std::string(message.method_string()), std::string(message.target()),
                    message.body()};
    requests.push_back(request);
    const std::string call = call_of(request);
    if (call == "GET /events" && request.target.find("until=") == std::string::npos) {
      write(*connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      streams_.insert(connection);
      return;
    }
    Reply reply{.status = 404, .body = R"({"message":"page not found"})"};
    if (call == "GET /_ping") {
      reply = {.status = 200, .body = "OK"};
    } else if (call == "GET /events") {
      reply = {.status = 200, .body = history};
    } else if (const auto found = answers_.find(call); found != answers_.end()) {
      reply = found->second(request);
    }
    if (reply.never) {
      return;
    }
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) +
                       " Answer\r\nApi-Version: " + api_version + "\r\n";
    if (reply.status != 204 && reply.status != 304) {
      text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    }
    write(*connection, text + "\r\n" + reply.body);
    connection->socket.close();
    connections_.erase(connection);
  }

  static void write(Connection& connection, const std::string& text) {
    boost::system::error_code ignored;
    boost::asio::write(connection.socket, boost::asio::buffer(text), ignored);
  }
  static void send_chunk(Connection& connection, const std::string& text) {
    std::ostringstream chunk;
    chunk << std::hex << text.size() << "\r\n" << text << "\r\n";
    write(connection, chunk.str());
  }

  boost::asio::io_context& context_;
  std::filesystem::path path_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::map<std::string, std::function<Reply(const Request&)>> answers_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::set<std::shared_ptr<Connection>> streams_;
};

}  // namespace swarm::runtime
