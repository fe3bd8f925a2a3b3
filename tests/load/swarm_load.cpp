// A strict HTTP client at a steady rate: every request that is not answered completely and with
// status 200 is a failure, classified. Half of its workers open a new connection per request, the
// others keep theirs; a kept connection may be closed by the server only between two requests, and
// then the next request opens a new one.
//
//   swarm_load --target 127.0.0.1:8080 [--target ...] [--rate 200] [--workers 8] [--path /]
//
// Prints one JSON line with the totals so far every 100 ms and one at the end (SIGINT, SIGTERM).

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRequestTimeout{15};
constexpr size_t kMaxResponse = 1 << 20;

struct Options {
  std::vector<sockaddr_in> targets;
  double rate = 200;
  int workers = 8;
  std::string path = "/";
};

// Totals of all workers.
struct Totals {
  std::mutex mutex;
  uint64_t sent = 0;
  uint64_t ok = 0;
  uint64_t failed = 0;
  uint64_t reopened = 0;  // kept connections that the server closed between two requests
  double slowest_ms = 0;
  std::map<std::string, uint64_t> bodies;
  std::map<std::string, uint64_t> failures;
};

std::atomic<bool> is_stopping{false};

std::string quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += (c < ' ') ? ' ' : c;
  }
  return out + "\"";
}

void print(Totals& totals) {
  const std::scoped_lock lock(totals.mutex);
  std::string line = "{\"sent\":" + std::to_string(totals.sent) +
                     ",\"ok\":" + std::to_string(totals.ok) +
                     ",\"failed\":" + std::to_string(totals.failed) +
                     ",\"reopened\":" + std::to_string(totals.reopened) +
                     ",\"slowest_ms\":" + std::to_string(totals.slowest_ms);
  const auto append = [&line](const char* name, const std::map<std::string, uint64_t>& counts) {
    line += std::string(",\"") + name + "\":{";
    const char* separator = "";
    for (const auto& [key, count] : counts) {
      line += separator + quote(key) + ":" + std::to_string(count);
      separator = ",";
    }
    line += "}";
  };
  append("bodies", totals.bodies);
  append("failures", totals.failures);
  std::puts((line + "}").c_str());
  std::fflush(stdout);
}

// What came of one request: a body, or why not.
struct Outcome {
  bool is_ok = false;
  std::string text;
};

class Connection {
 public:
  ~Connection() { close(); }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }

  std::string open(const sockaddr_in& target) {
    close();
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval timeout{kRequestTimeout.count(), 0};
    const int one = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
      const std::string error = std::string("connect: ") + std::strerror(errno);
      close();
      return error;
    }
    return "";
  }

  // Whether the server has closed this idle connection already.
  bool has_ended() const {
    pollfd entry{fd_, POLLIN | POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) > 0;
  }

  Outcome request(const std::string& path, bool keep) {
    const std::string head = "GET " + path + " HTTP/1.1\r\nHost: load\r\nConnection: " +
                             (keep ? "keep-alive" : "close") + "\r\n\r\n";
    if (::send(fd_, head.data(), head.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(head.size())) {
      return {false, std::string("send: ") + std::strerror(errno)};
    }
    return read_response();
  }

 private:
  Outcome read_response() {
    std::string data;
    size_t body_at = std::string::npos;
    size_t length = 0;
    for (;;) {
      if (body_at == std::string::npos) {
        const size_t end = data.find("\r\n\r\n");
        if (end != std::string::npos) {
          body_at = end + 4;
          const size_t field = data.find("Content-Length:");
          if (field == std::string::npos || field > end) {
            return {false, "no Content-Length"};
          }
          length = std::strtoul(data.c_str() + field + 15, nullptr, 10);
        }
      }
      if (body_at != std::string::npos && data.size() >= body_at + length) {
        break;
      }
      char buffer[16384];
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0 || data.size() > kMaxResponse) {
        const std::string why = got == 0 ? "closed" : got < 0 ? std::strerror(errno) : "too long";
        return {false, (data.empty() ? "before the answer: " : "within the answer: ") + why};
      }
      data.append(buffer, static_cast<size_t>(got));
    }
    if (data.rfind("HTTP/1.1 200", 0) != 0) {
      return {false, "status " + data.substr(9, 3)};
    }
    if (data.find("Connection: close") < body_at) {
      close();
    }
    return {true, data.substr(body_at, length)};
  }

  int fd_ = -1;
};

void count(Totals& totals, const Outcome& outcome, double took_ms) {
  const std::scoped_lock lock(totals.mutex);
  ++totals.sent;
  totals.slowest_ms = std::max(totals.slowest_ms, took_ms);
  if (outcome.is_ok) {
    ++totals.ok;
    ++totals.bodies[outcome.text.substr(0, outcome.text.find('\n'))];
  } else {
    ++totals.failed;
    ++totals.failures[outcome.text];
  }
}

void work(const Options& options, int index, Totals& totals) {
  const bool keep = index % 2 == 1;
  const auto period = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(options.workers / options.rate));
  Connection connection;
  auto next = Clock::now() + period * index / options.workers;
  size_t turn = static_cast<size_t>(index);
  while (!is_stopping) {
    std::this_thread::sleep_until(next);
    next = std::max(next + period, Clock::now() - period * 4);
    const sockaddr_in& target = options.targets[turn++ % options.targets.size()];
    const auto start = Clock::now();
    if (keep && connection.is_open() && connection.has_ended()) {
      connection.close();
      const std::scoped_lock lock(totals.mutex);
      ++totals.reopened;
    }
    Outcome outcome;
    if (!keep || !connection.is_open()) {
      outcome.text = connection.open(target);
    }
    if (connection.is_open()) {
      outcome = connection.request(options.path, keep);
    }
    if (!outcome.is_ok || !keep) {
      connection.close();
    }
    count(totals, outcome, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--target") {
      const size_t colon = value.find(':');
      sockaddr_in target{};
      target.sin_family = AF_INET;
      if (colon == std::string::npos ||
          ::inet_pton(AF_INET, value.substr(0, colon).c_str(), &target.sin_addr) != 1) {
        return false;
      }
      target.sin_port = htons(static_cast<uint16_t>(std::atoi(value.c_str() + colon + 1)));
      options.targets.push_back(target);
    } else if (name == "--rate") {
      options.rate = std::atof(value.c_str());
    } else if (name == "--workers") {
      options.workers = std::atoi(value.c_str());
    } else if (name == "--path") {
      options.path = value;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !options.targets.empty() && options.rate > 0 && options.workers > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: swarm_load --target IP:PORT [--target ...] [--rate N] [--workers N] "
                 "[--path /]\n");
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM}) {
    ::signal(number, [](int) { is_stopping = true; });
  }
  Totals totals;
  std::vector<std::thread> workers;
  for (int i = 0; i < options.workers; ++i) {
    workers.emplace_back([&, i] { work(options, i, totals); });
  }
  while (!is_stopping) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    print(totals);
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  print(totals);
  return totals.failed == 0 ? 0 : 1;
}
