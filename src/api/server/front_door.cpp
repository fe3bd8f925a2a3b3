#include "api/server/front_door.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "api/client/limits.h"
#include "api/peers/frame.h"
#include "platform/tcp_address.h"

namespace swarm::api {

struct FrontDoor::Visitor {
  Visitor(Tcp::socket accepted, std::string from)
      : socket(std::move(accepted)), host(std::move(from)), deadline(socket.get_executor()) {}

  Tcp::socket socket;
  const std::string host;
  boost::asio::steady_timer deadline;
};

Result<std::unique_ptr<FrontDoor>> FrontDoor::at(const std::string& address) {
  std::unique_ptr<FrontDoor> door(new FrontDoor());
  SWARM_RETURN_IF_ERROR(door->listen(address));
  return door;
}

Status FrontDoor::listen(const std::string& address) {
  SWARM_ASSIGN_OR_RETURN(const platform::TcpAddress parts, platform::split_tcp_address(address));
  platform::ErrorCode error;
  const auto found =
      Tcp::resolver(loop_.context()).resolve(parts.host, parts.port, Tcp::resolver::passive, error);
  if (error) {
    return absl::UnavailableError(error.message());
  }
  SWARM_ASSIGN_OR_RETURN(
      acceptor_, platform::TcpAcceptor::open(loop_.context(), *found.begin(),
                                             [this](Tcp::socket s) { let_in(std::move(s)); }));
  return absl::OkStatus();
}

FrontDoor::~FrontDoor() {
  loop_.stop();
}

void FrontDoor::open(Guests guests) {
  guests_ = std::move(guests);
  loop_.start();
}

uint16_t FrontDoor::port() const {
  return acceptor_->address().port();
}

void FrontDoor::let_in(Tcp::socket socket) {
  const std::string host = platform::remote_host(socket);
  if (host.empty() || !has_room_for(host)) {
    return;
  }
  ++undecided_;
  ++undecided_of_host_[host];
  const auto visitor = std::make_shared<Visitor>(std::move(socket), host);
  visitor->deadline.expires_after(std::chrono::milliseconds(kConnectTimeoutMs));
  visitor->deadline.async_wait([visitor](platform::ErrorCode aborted) {
    platform::ErrorCode ignored;
    if (!aborted) {
      visitor->socket.close(ignored);
    }
  });
  visitor->socket.async_wait(Tcp::socket::wait_read, [this, visitor](platform::ErrorCode error) {
    note_decided(visitor->host);
    visitor->deadline.cancel();
    if (!error) {
      look_at(*visitor);
    }
  });
}

bool FrontDoor::has_room_for(const std::string& host) const {
  const auto of_host = undecided_of_host_.find(host);
  return undecided_ < kMaxUndecided &&
         (of_host == undecided_of_host_.end() || of_host->second < kMaxUndecidedOfHost);
}

void FrontDoor::note_decided(const std::string& host) {
  --undecided_;
  const auto of_host = undecided_of_host_.find(host);
  if (--of_host->second == 0) {
    undecided_of_host_.erase(of_host);
  }
}

void FrontDoor::look_at(Visitor& visitor) {
  char first = 0;
  platform::ErrorCode error;
  visitor.socket.receive(boost::asio::buffer(&first, 1), Tcp::socket::message_peek, error);
  if (!error) {
    (first == kFirstByteOfTls ? guests_.grpc : guests_.peer)(std::move(visitor.socket));
  }
}

}  // namespace swarm::api
