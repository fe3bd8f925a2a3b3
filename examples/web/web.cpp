// A small HTTP server without dependencies, to try a swarm with: it says which version it is.
//
//   GET /             "web 1.0\n"
//   GET /slow?ms=500  the same after that time
//   GET /health       200, or 503 with --unhealthy
//
// Listens on $PORT, or 80. The version is $VERSION, or the first line of the file `version` beside
// the program. On SIGTERM it takes the connections that wait, finishes every request it has begun
// to receive, closes idle connections, and ends.
//
//   web [--fail] [--crash] [--unhealthy] [--check]
//     --fail       ends with code 1 at once
//     --crash      ends with code 1 after half a second, before it listens
//     --unhealthy  GET /health fails
//     --check      asks the server on $PORT for /health and ends with 0 or 1: for HEALTHCHECK
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "request.h"

namespace {

using web::parse;
using web::Request;
using web::to_number;

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kBacklog = 4096;
constexpr size_t kMaxHeaderBytes = 16 * 1024;
constexpr milliseconds kMaxDelay = seconds(60);
// A kept connection that is silent for this long is closed.
constexpr milliseconds kIdleLimit = seconds(120);
// After the last answer the client should close; it has this long to do so.
constexpr milliseconds kLingerLimit = seconds(2);
// When told to stop: for a connection whose first byte is still on its way.
constexpr milliseconds kFirstByteLimit = seconds(1);
constexpr milliseconds kCrashDelay{500};

struct Settings {
  std::string version = "unknown";
  std::string task;
  uint16_t port = 80;
  bool is_healthy = true;
};

struct Connection {
  enum class State { receiving, delayed, sending, lingering };
  int socket = -1;
  State state = State::receiving;
  std::string in;
  std::string out;
  size_t to_skip = 0;  // bytes of a request body that nobody wants
  size_t requests = 0;
  bool closes = false;  // after the present answer
  Clock::time_point deadline;
  std::multimap<Clock::time_point, int>::iterator timer;
};

class Server {
 public:
  explicit Server(Settings settings) : settings_(std::move(settings)) {}

  bool open();
  void run();

 private:
  void accept_all();
  void begin_drain();
  void on_event(int socket, uint32_t events);
  void receive(Connection& connection);
  void serve(Connection& connection);
  void answer(Connection& connection, const Request& request);
  void reply(Connection& connection, int status, std::string_view body, bool is_head);
  void send(Connection& connection);
  void after_answer(Connection& connection);
  void set_deadline(Connection& connection, milliseconds delay);
  void watch(Connection& connection, uint32_t events);
  void fire_timers();
  void close(Connection& connection);
  int next_timeout() const;

  Settings settings_;
  int listener_ = -1;
  int signals_ = -1;
  int epoll_ = -1;
  bool is_draining_ = false;
  std::map<int, std::unique_ptr<Connection>> connections_;
  std::multimap<Clock::time_point, int> timers_;
};

bool Server::open() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::signal(SIGPIPE, SIG_IGN);

  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(settings_.port);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, kBacklog) != 0) {
    std::fprintf(stderr, "web: cannot listen on port %d: %s\n", settings_.port,
                 std::strerror(errno));
    return false;
  }
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  ::sigprocmask(SIG_BLOCK, &stops, nullptr);
  signals_ = ::signalfd(-1, &stops, SFD_NONBLOCK | SFD_CLOEXEC);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  for (const int source : {listener_, signals_}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = source}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, source, &event);
  }
  return true;
}

void Server::run() {
  epoll_event events[256];
  while (!is_draining_ || !connections_.empty()) {
    const int count = ::epoll_wait(epoll_, events, 256, next_timeout());
    for (int i = 0; i < count; ++i) {
      const int source = events[i].data.fd;
      if (source == signals_) {
        begin_drain();
      } else if (source == listener_) {
        accept_all();
      } else {
        on_event(source, events[i].events);
      }
    }
    fire_timers();
  }
}

void Server::accept_all() {
  while (listener_ >= 0) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0 && (errno == EINTR || errno == ECONNABORTED)) {
      continue;
    }
    if (socket < 0) {
      return;
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>();
    connection->socket = socket;
    connection->timer = timers_.end();
    set_deadline(*connection, is_draining_ ? kFirstByteLimit : kIdleLimit);
    epoll_event event{.events = EPOLLIN, .data = {.fd = socket}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    Connection& added = *(connections_[socket] = std::move(connection));
    receive(added);
  }
}

// What waits in the backlog is taken first: closing the listener would reset it.
void Server::begin_drain() {
  signalfd_siginfo info{};
  if (::read(signals_, &info, sizeof info) != sizeof info || is_draining_) {
    return;
  }
  is_draining_ = true;
  accept_all();
  ::close(std::exchange(listener_, -1));
  for (auto next = connections_.begin(); next != connections_.end();) {
    Connection& connection = *(next++)->second;
    if (connection.state != Connection::State::receiving || !connection.in.empty()) {
      continue;
    }
    // A request may have arrived just now; without one, a kept connection is idle.
    if (connection.requests == 0) {
      set_deadline(connection, kFirstByteLimit);
    } else {
      char byte = 0;
      if (::recv(connection.socket, &byte, 1, MSG_PEEK) <= 0) {
        close(connection);
      }
    }
  }
}

void Server::on_event(int socket, uint32_t events) {
  const auto found = connections_.find(socket);
  if (found == connections_.end()) {
    return;
  }
  Connection& connection = *found->second;
  if ((events & EPOLLOUT) != 0) {
    send(connection);
  } else {
    receive(connection);
  }
}

void Server::receive(Connection& connection) {
  char chunk[8192];
  for (;;) {
    const ssize_t got = ::recv(connection.socket, chunk, sizeof chunk, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      break;
    }
    if (got <= 0) {
      close(connection);
      return;
    }
    if (connection.state == Connection::State::lingering) {
      continue;
    }
    connection.in.append(chunk, static_cast<size_t>(got));
    if (connection.in.size() > 2 * kMaxHeaderBytes) {
      break;  // the rest when what is here has been dealt with
    }
  }
  if (connection.state == Connection::State::receiving) {
    serve(connection);
  }
}

// Answers the next request if all of its head is here.
void Server::serve(Connection& connection) {
  const size_t skipped = std::min(connection.to_skip, connection.in.size());
  connection.in.erase(0, skipped);
  connection.to_skip -= skipped;
  const size_t end = connection.in.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (connection.in.size() > kMaxHeaderBytes) {
      connection.closes = true;
      reply(connection, 431, "too large\n", false);
    }
    return;
  }
  const std::string head = connection.in.substr(0, end);
  connection.in.erase(0, end + 4);
  const Request request = parse(head);
  ++connection.requests;
  connection.to_skip = request.body_bytes;
  connection.closes = !request.is_valid || !request.keeps_alive;
  if (!request.is_valid) {
    reply(connection, 400, "bad request\n", false);
    return;
  }
  answer(connection, request);
}

void Server::answer(Connection& connection, const Request& request) {
  const std::string body = "web " + settings_.version + "\n";
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  if (path == "/health") {
    reply(connection, settings_.is_healthy ? 200 : 503, settings_.is_healthy ? "ok\n" : "ill\n",
          request.is_head);
  } else if (path == "/slow") {
    const size_t at = request.target.find("ms=");
    const int wanted =
        at == std::string_view::npos ? 500 : to_number<int>(request.target.substr(at + 3), 500);
    connection.state = Connection::State::delayed;
    watch(connection, 0);
    set_deadline(connection, std::clamp(milliseconds(wanted), milliseconds(0), kMaxDelay));
    connection.out = body;  // completed by the timer
  } else {
    reply(connection, 200, body, request.is_head);
  }
}

void Server::reply(Connection& connection, int status, std::string_view body, bool is_head) {
  if (is_draining_) {
    connection.closes = true;
  }
  const char* const reason = status == 200 ? "OK" : status == 503 ? "Service Unavailable" : "Error";
  connection.out =
      "HTTP/1.1 " + std::to_string(status) + " " + reason +
      "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nX-Task: " + settings_.task +
      (connection.closes ? "\r\nConnection: close" : "\r\nConnection: keep-alive") + "\r\n\r\n";
  if (!is_head) {
    connection.out += body;
  }
  connection.state = Connection::State::sending;
  send(connection);
}

void Server::send(Connection& connection) {
  while (!connection.out.empty()) {
    const ssize_t put =
        ::send(connection.socket, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0 && errno == EAGAIN) {
      watch(connection, EPOLLOUT);
      set_deadline(connection, kIdleLimit);
      return;
    }
    if (put < 0) {
      close(connection);
      return;
    }
    connection.out.erase(0, static_cast<size_t>(put));
  }
  after_answer(connection);
}

void Server::after_answer(Connection& connection) {
  watch(connection, EPOLLIN);
  if (connection.closes) {
    // Closing with unread bytes would reset the connection and could take the answer with it.
    ::shutdown(connection.socket, SHUT_WR);
    connection.state = Connection::State::lingering;
    set_deadline(connection, kLingerLimit);
    return;
  }
  connection.state = Connection::State::receiving;
  set_deadline(connection, kIdleLimit);
  if (!connection.in.empty()) {
    serve(connection);
  }
}

void Server::set_deadline(Connection& connection, milliseconds delay) {
  if (connection.timer != timers_.end()) {
    timers_.erase(connection.timer);
  }
  connection.timer = timers_.emplace(Clock::now() + delay, connection.socket);
}

void Server::watch(Connection& connection, uint32_t events) {
  epoll_event event{.events = events, .data = {.fd = connection.socket}};
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
}

void Server::fire_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Connection& connection = *connections_.at(timers_.begin()->second);
    timers_.erase(timers_.begin());
    connection.timer = timers_.end();
    if (connection.state == Connection::State::delayed) {
      const std::string body = std::exchange(connection.out, {});
      reply(connection, 200, body, false);
    } else {
      close(connection);
    }
  }
}

void Server::close(Connection& connection) {
  if (connection.timer != timers_.end()) {
    timers_.erase(connection.timer);
  }
  const int socket = connection.socket;
  ::close(socket);
  connections_.erase(socket);
}

int Server::next_timeout() const {
  if (timers_.empty()) {
    return -1;
  }
  const auto left = std::chrono::ceil<milliseconds>(timers_.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
}

std::string own_folder() {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string_view program(path, length > 0 ? static_cast<size_t>(length) : 0);
  return std::string(program.substr(0, program.rfind('/') + 1));
}

Settings read_settings() {
  Settings settings;
  if (const char* const version = std::getenv("VERSION")) {
    settings.version = version;
  } else if (std::ifstream file(own_folder() + "version"); file) {
    std::getline(file, settings.version);
  }
  if (const char* const task = std::getenv("SWARM_TASK_ID")) {
    settings.task = task;
  }
  if (const char* const port = std::getenv("PORT")) {
    settings.port = to_number<uint16_t>(port, settings.port);
  }
  return settings;
}

// Whether the server on this machine says that it is well.
bool check_health(uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr std::string_view kAsk =
      "GET /health HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n";
  char answer[16] = {};
  return ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
         ::send(socket, kAsk.data(), kAsk.size(), MSG_NOSIGNAL) > 0 &&
         ::recv(socket, answer, sizeof answer - 1, MSG_WAITALL) > 0 &&
         std::string_view(answer).starts_with("HTTP/1.1 200");
}

}  // namespace

int main(int count, char** arguments) {
  Settings settings = read_settings();
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--fail") {
      std::fprintf(stderr, "web: told to fail\n");
      return 1;
    }
    if (argument == "--crash") {
      ::poll(nullptr, 0, static_cast<int>(kCrashDelay.count()));
      std::fprintf(stderr, "web: told to crash\n");
      return 1;
    }
    if (argument == "--check") {
      return check_health(settings.port) ? 0 : 1;
    }
    if (argument != "--unhealthy") {
      std::fprintf(stderr, "usage: web [--fail] [--crash] [--unhealthy] [--check]\n");
      return 2;
    }
    settings.is_healthy = false;
  }
  Server server(std::move(settings));
  if (!server.open()) {
    return 1;
  }
  server.run();
  return 0;
}
