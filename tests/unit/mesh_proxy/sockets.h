#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

// Blocking sockets for tests: a client and servers that behave as told. Everything waits at most
// kPatience, so that a bug is a failure and not a hang.
namespace swarm::mesh::test {

inline constexpr int kPatienceSeconds = 20;

// Waits until the condition holds; false when it does not in time.
bool await(const std::function<bool()>& condition);

// One connection. Empty answers and false mean the other side has ended; errors are told apart.
class Connection {
 public:
  // "127.0.0.1:80"; check is_open.
  explicit Connection(const std::string& address);
  explicit Connection(int descriptor);
  ~Connection() { close(); }
  Connection(Connection&& other) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection& operator=(Connection&&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  bool send(std::string_view bytes);
  // Some bytes; nothing at the end or on an error.
  std::string receive();
  std::string receive_exactly(size_t size);
  std::string receive_all();
  // The last receive ended because of an error, not an end.
  bool was_reset() const { return was_reset_; }
  void shutdown_send();
  // Ends both directions, from any thread: who waits here is woken.
  void interrupt();
  // The other side sees an error.
  void reset();
  void close();

  // One HTTP exchange: the body, or nothing if it failed in any way.
  std::optional<std::string> get(const std::string& path = "/", bool keep = true);
  // Reads one answer with a Content-Length.
  std::optional<std::string> receive_answer();

 private:
  int descriptor_ = -1;
  bool was_reset_ = false;
  std::string ahead_;  // received, of the next answer
};

// A new connection, one request, and its end.
std::optional<std::string> get_once(const std::string& address, const std::string& path = "/");

// A port nobody listens on.
std::string free_address(const std::string& host);

// A listening socket on a port of the system's choice, and its end: waiting `accept`s return.
int listen_on(const std::string& host, std::string& address);
void stop_listening(int listener);

// Serves each connection by a function on a thread of its own.
class Server {
 public:
  using Serve = std::function<void(Connection&)>;
  explicit Server(Serve serve, const std::string& host = "127.0.0.1");
  ~Server() { kill(); }

  const std::string& address() const { return address_; }
  // As kill -9 of a process: nothing is finished.
  void kill();
  size_t accepted() const { return accepted_; }
  size_t open() const { return open_; }

 private:
  struct Client {
    explicit Client(int descriptor) : connection(descriptor) {}
    Connection connection;
    std::thread thread;
    std::atomic<bool> is_done = false;
  };
  void accept();

  Serve serve_;
  int listener_ = -1;
  std::string address_;
  std::atomic<size_t> accepted_ = 0;
  std::atomic<size_t> open_ = 0;
  std::mutex mutex_;
  bool is_killed_ = false;
  std::list<Client> clients_;
  std::thread thread_;
};

// Answers every request with its name and keeps connections. GET /slow waits for `release`.
class HttpServer {
 public:
  explicit HttpServer(std::string name);
  ~HttpServer();

  const std::string& address() const { return server_->address(); }
  void release();
  void kill();
  size_t waiting() const { return waiting_; }
  // Of requests of which the head is not complete.
  size_t partial() const { return partial_; }
  size_t open() const { return server_->open(); }
  size_t accepted() const { return server_->accepted(); }

 private:
  void serve(Connection& connection);

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable released_;
  bool is_released_ = false;
  std::atomic<size_t> waiting_ = 0;
  std::atomic<size_t> partial_ = 0;
  std::optional<Server> server_;
};

}  // namespace swarm::mesh::test
