#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace swarm::mesh::test {

namespace {

sockaddr_in to_native(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in native{};
  native.sin_family = AF_INET;
  native.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &native.sin_addr);
  return native;
}

void set_patience(int descriptor) {
  const timeval patience{kPatienceSeconds, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

bool await(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(kPatienceSeconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

Connection::Connection(const std::string& address)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  set_patience(descriptor_);
  const sockaddr_in native = to_native(address);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&native), sizeof(native)) != 0) {
    close();
  }
}

Connection::Connection(int descriptor) : descriptor_(descriptor) {
  set_patience(descriptor_);
}

Connection::Connection(Connection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      was_reset_(other.was_reset_),
      ahead_(std::move(other.ahead_)) {}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string Connection::receive() {
  char buffer[64 * 1024];
  const ssize_t size = ::recv(descriptor_, buffer, sizeof(buffer), 0);
  was_reset_ = size < 0;
  return size <= 0 ? "" : std::string(buffer, static_cast<size_t>(size));
}

std::string Connection::receive_exactly(size_t size) {
  std::string all;
  while (all.size() < size) {
    const std::string part = receive();
    if (part.empty()) break;
    all += part;
  }
  return all;
}

std::string Connection::receive_all() {
  std::string all;
  for (std::string part = receive(); !part.empty(); part = receive()) all += part;
  return all;
}

void Connection::shutdown_send() {
  ::shutdown(descriptor_, SHUT_WR);
}

void Connection::interrupt() {
  ::shutdown(descriptor_, SHUT_RDWR);
}

void Connection::reset() {
  const linger hard{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close();
}

void Connection::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

std::optional<std::string> Connection::get(const std::string& path, bool keep) {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: test\r\n" +
                              (keep ? "" : "Connection: close\r\n") + "\r\n";
  if (!send(request)) return std::nullopt;
  return receive_answer();
}

std::optional<std::string> Connection::receive_answer() {
  size_t end = 0;
  while ((end = ahead_.find("\r\n\r\n")) == std::string::npos) {
    const std::string part = receive();
    if (part.empty()) return std::nullopt;
    ahead_ += part;
  }
  const size_t field = ahead_.find("Content-Length: ");
  if (ahead_.compare(0, 12, "HTTP/1.1 200") != 0 || field > end) return std::nullopt;
  const size_t size = end + 4 + std::stoul(ahead_.substr(field + 16));
  while (ahead_.size() < size) {
    const std::string part = receive();
    if (part.empty()) return std::nullopt;
    ahead_ += part;
  }
  std::string body = ahead_.substr(end + 4, size - end - 4);
  ahead_.erase(0, size);
  return body;
}

std::optional<std::string> get_once(const std::string& address, const std::string& path) {
  Connection connection(address);
  if (!connection.is_open()) return std::nullopt;
  return connection.get(path, false);
}

int listen_on(const std::string& host, std::string& address) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in native = to_native(host + ":0");
  ::bind(descriptor, reinterpret_cast<sockaddr*>(&native), sizeof(native));
  socklen_t size = sizeof(native);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&native), &size);
  address = host + ":" + std::to_string(ntohs(native.sin_port));
  ::listen(descriptor, 1024);
  return descriptor;
}

void stop_listening(int listener) {
  ::shutdown(listener, SHUT_RDWR);
  ::close(listener);
}

std::string free_address(const std::string& host) {
  std::string address;
  ::close(listen_on(host, address));
  return address;
}

Server::Server(Serve serve, const std::string& host) : serve_(std::move(serve)) {
  listener_ = listen_on(host, address_);
  thread_ = std::thread([this] { accept(); });
}

void Server::accept() {
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (is_killed_ || descriptor < 0) {
      if (descriptor >= 0) ::close(descriptor);
      if (is_killed_) return;
      continue;
    }
    ++accepted_;
    ++open_;
    for (auto client = clients_.begin(); client != clients_.end();) {
      if (client->is_done) client->thread.join();
      client = client->is_done ? clients_.erase(client) : std::next(client);
    }
    Client& client = clients_.emplace_back(descriptor);
    client.thread = std::thread([this, &client] {
      serve_(client.connection);
      {
        const std::lock_guard closing(mutex_);
        client.connection.close();
      }
      --open_;
      client.is_done = true;
    });
  }
}

void Server::kill() {
  {
    const std::lock_guard lock(mutex_);
    if (is_killed_) return;
    is_killed_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (Client& client : clients_) {
      if (client.connection.is_open()) client.connection.interrupt();
    }
  }
  thread_.join();
  ::close(listener_);
  for (Client& client : clients_) {
    client.thread.join();
  }
}

HttpServer::HttpServer(std::string name) : name_(std::move(name)) {
  server_.emplace([this](Connection& connection) { serve(connection); });
}

HttpServer::~HttpServer() {
  kill();
}

void HttpServer::kill() {
  release();
  server_->kill();
}

void HttpServer::release() {
  const std::lock_guard lock(mutex_);
  is_released_ = true;
  released_.notify_all();
}

void HttpServer::serve(Connection& connection) {
  std::string input;
  while (true) {
    size_t end = 0;
    while ((end = input.find("\r\n\r\n")) == std::string::npos) {
      const std::string part = connection.receive();
      if (part.empty()) return;
      input += part;
      partial_ = input.size();
    }
    partial_ = 0;
    const std::string head = input.substr(0, end);
    input.erase(0, end + 4);
    if (head.find("GET /slow") == 0) {
      std::unique_lock lock(mutex_);
      ++waiting_;
      released_.wait(lock, [this] { return is_released_; });
      --waiting_;
    }
    const bool is_last = head.find("Connection: close") != std::string::npos;
    if (!connection.send("HTTP/1.1 200 OK\r\n" +
                         std::string(is_last ? "Connection: close\r\n" : "") +
                         "Content-Length: " + std::to_string(name_.size()) + "\r\n\r\n" + name_)) {
      return;
    }
    if (is_last) return;
  }
}

}  // namespace swarm::mesh::test
