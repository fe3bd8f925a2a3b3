#include "platform/listener_keeper.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "base/asio_loop.h"
#include "base/log.h"
#include "platform/local_socket.h"
#include "platform/posix_support.h"

namespace swarm::platform {

namespace {

namespace asio = boost::asio;
using Wait = asio::posix::stream_descriptor;

// One packet each: a word, the name of a listener, and its descriptor. The keeper says first what
// it keeps, up to kEnd; then the other side may speak.
constexpr std::string_view kKeep = "keep ";
constexpr std::string_view kDrop = "drop ";
constexpr std::string_view kEnd = "end";
constexpr std::string_view kYield = "yield";
constexpr size_t kMaxPacket = 256;
// Either side reads at once; one that does not is stuck.
constexpr std::chrono::milliseconds kSendPatience{2'000};
constexpr Duration kReconnect = milliseconds(500);

struct Packet {
  std::string text;
  Descriptor attached;
};

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() < sizeof address.sun_path) {
    std::memcpy(address.sun_path, text.data(), text.size());
  }
  return address;
}

void limit(int socket, int option, std::chrono::milliseconds time) {
  timeval value{};
  value.tv_sec = time.count() / 1000;
  value.tv_usec = time.count() % 1000 * 1000;
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, option, &value, sizeof value));
}

bool send_packet(int socket, std::string_view text, int attached = -1) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (attached >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Nothing when the connection is over, or has nothing to say in time.
std::optional<Packet> receive_packet(int socket, int flags) {
  std::array<char, kMaxPacket> text{};
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  if (size <= 0) {
    errno = size == 0 ? ECONNRESET : errno;
    return std::nullopt;
  }
  Packet packet{std::string(text.data(), static_cast<size_t>(size)), Descriptor()};
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int attached = -1;
    std::memcpy(&attached, CMSG_DATA(header), sizeof attached);
    packet.attached = Descriptor(attached);
  }
  return packet;
}

// Whether it is over, after a receive that brought nothing.
bool is_silent() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

std::string name_in(const std::string& text, std::string_view word) {
  return text.starts_with(word) ? text.substr(word.size()) : std::string();
}

}  // namespace

// ---- the keeper ----

class ListenerKeeper::Desk {
 public:
  explicit Desk(Descriptor listener)
      : listener_(loop_.context(), listener.release()), peer_(loop_.context()) {
    accept();
    loop_.start();
  }
  ~Desk() { loop_.stop(); }

  size_t kept() const { return count_; }

  void ask_to_yield(int64_t pid) {
    loop_.post([this, pid] {
      yielding_ = pid;
      if (peer_.is_open()) {
        ask_peer();
      }
    });
  }

 private:
  void accept() {
    listener_.async_wait(Wait::wait_read, [this](const boost::system::error_code& error) {
      if (error) {
        return;
      }
      Descriptor peer(::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
      if (peer.is_open()) {
        serve(std::move(peer));
      }
      accept();
    });
  }

  // Whoever comes last has the listeners.
  void serve(Descriptor peer) {
    limit(peer.get(), SO_SNDTIMEO, kSendPatience);
    for (const auto& [name, listener] : kept_) {
      if (!send_packet(peer.get(), std::string(kKeep) + name, listener.get())) {
        return;
      }
    }
    if (send_packet(peer.get(), kEnd)) {
      boost::system::error_code ignored;
      peer_.close(ignored);
      peer_.assign(peer.release());
      ask_peer();
      read();
    }
  }

  void ask_peer() {
    if (peer_of(peer_.native_handle()) == yielding_ &&
        !send_packet(peer_.native_handle(), kYield)) {
      log::warning("mesh could not be asked to make way");
    }
  }

  void read() {
    peer_.async_wait(Wait::wait_read, [this](const boost::system::error_code& error) {
      if (error) {
        return;
      }
      while (std::optional<Packet> packet = receive_packet(peer_.native_handle(), MSG_DONTWAIT)) {
        take(*std::move(packet));
      }
      if (is_silent()) {
        read();
      } else {
        boost::system::error_code ignored;
        peer_.close(ignored);
      }
    });
  }

  void take(Packet packet) {
    if (std::string name = name_in(packet.text, kKeep); packet.attached.is_open()) {
      kept_[name] = std::move(packet.attached);
    } else {
      kept_.erase(name_in(packet.text, kDrop));
    }
    count_ = kept_.size();
  }

  std::map<std::string, Descriptor> kept_;
  std::atomic<size_t> count_ = 0;
  int64_t yielding_ = 0;
  AsioLoop loop_{"keeper"};
  Wait listener_;
  Wait peer_;
};

Result<std::unique_ptr<ListenerKeeper>> ListenerKeeper::open(const std::filesystem::path& socket) {
  Descriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(socket);
  ::unlink(socket.c_str());
  if (!listener.is_open() || address.sun_path[0] == '\0' ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 8) != 0) {
    return system_error(errno, "cannot listen on " + socket.string());
  }
  SWARM_RETURN_IF_ERROR(make_socket_private(socket));
  return std::unique_ptr<ListenerKeeper>(
      new ListenerKeeper(std::make_unique<Desk>(std::move(listener))));
}

ListenerKeeper::ListenerKeeper(std::unique_ptr<Desk> desk) : desk_(std::move(desk)) {}
ListenerKeeper::~ListenerKeeper() = default;

size_t ListenerKeeper::kept() const {
  return desk_->kept();
}

void ListenerKeeper::ask_to_yield(int64_t pid) {
  desk_->ask_to_yield(pid);
}

// ---- the process that listens ----

class ListenerLoan::Desk {
 public:
  Desk(AsioLoop& loop, std::filesystem::path socket, std::chrono::milliseconds patience,
       absl::AnyInvocable<void()> on_yield)
      : socket_(std::move(socket)),
        patience_(patience),
        on_yield_(std::move(on_yield)),
        keeper_(loop.context()),
        reconnect_(loop) {
    connect();
  }

  std::optional<TcpHandle> take(const std::string& name) {
    auto found = offered_.extract(name);
    if (found.empty()) {
      return std::nullopt;
    }
    const int native = found.mapped().release();
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    static_cast<void>(::getsockname(native, reinterpret_cast<sockaddr*>(&address), &size));
    return TcpHandle(native, address.ss_family == AF_INET6);
  }

  void opened(const std::string& name, int native) {
    open_[name] = native;
    tell(std::string(kKeep) + name, native);
  }

  void closed(const std::string& name) {
    if (open_.erase(name) != 0) {
      tell(std::string(kDrop) + name);
    }
  }

  void let_go() {
    boost::system::error_code ignored;
    keeper_.close(ignored);
    reconnect_.cancel();
    anchor_.reset();
    open_.clear();
    offered_.clear();
  }

  void drop_all_but(const std::set<std::string>& names) {
    std::erase_if(offered_, [&](const auto& offer) {
      const bool is_dropped = !names.contains(offer.first);
      if (is_dropped) {
        tell(std::string(kDrop) + offer.first);
      }
      return is_dropped;
    });
  }

 private:
  void connect() {
    Descriptor keeper(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(socket_);
    if (!keeper.is_open() ||
        ::connect(keeper.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        !fetch(keeper.get())) {
      connect_later();
      return;
    }
    keeper_.assign(keeper.release());
    for (const auto& [name, native] : open_) {
      tell(std::string(kKeep) + name, native);
    }
    read();
  }

  bool fetch(int keeper) {
    limit(keeper, SO_RCVTIMEO, patience_);
    limit(keeper, SO_SNDTIMEO, kSendPatience);
    while (std::optional<Packet> packet = receive_packet(keeper, 0)) {
      if (packet->text == kEnd) {
        return true;
      }
      offered_[name_in(packet->text, kKeep)] = std::move(packet->attached);
    }
    return false;
  }

  void connect_later() {
    reconnect_.set_after(kReconnect, [this] { connect(); });
  }

  void tell(const std::string& text, int attached = -1) {
    if (keeper_.is_open() && !send_packet(keeper_.native_handle(), text, attached)) {
      log::warning("listening socket is not kept", {{"socket", text}});
    }
  }

  void read() {
    keeper_.async_wait(Wait::wait_read,
                       anchor_.bind([this](const boost::system::error_code& error) {
                         if (error) {
                           return;
                         }
                         while (std::optional<Packet> packet =
                                    receive_packet(keeper_.native_handle(), MSG_DONTWAIT)) {
                           if (packet->text == kYield) {
                             on_yield_();
                           }
                           if (!keeper_.is_open()) {
                             return;  // let go
                           }
                         }
                         if (is_silent()) {
                           read();
                           return;
                         }
                         boost::system::error_code ignored;
                         keeper_.close(ignored);
                         connect_later();
                       }));
  }

  const std::filesystem::path socket_;
  const std::chrono::milliseconds patience_;
  absl::AnyInvocable<void()> on_yield_;
  Wait keeper_;
  Timer reconnect_;
  std::map<std::string, Descriptor> offered_;
  std::map<std::string, int> open_;
  Anchor anchor_;
};

ListenerLoan::ListenerLoan(AsioLoop& loop, std::filesystem::path socket,
                           std::chrono::milliseconds patience, absl::AnyInvocable<void()> on_yield)
    : desk_(std::make_unique<Desk>(loop, std::move(socket), patience, std::move(on_yield))) {}
ListenerLoan::~ListenerLoan() = default;

std::optional<TcpHandle> ListenerLoan::take(const std::string& name) {
  return desk_->take(name);
}
void ListenerLoan::opened(const std::string& name, int native) {
  desk_->opened(name, native);
}
void ListenerLoan::closed(const std::string& name) {
  desk_->closed(name);
}
void ListenerLoan::drop_all_but(const std::set<std::string>& names) {
  desk_->drop_all_but(names);
}
void ListenerLoan::let_go() {
  desk_->let_go();
}

}  // namespace swarm::platform
