#include "api/server/front_door.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>

#include "api/client/limits.h"
#include "platform/tcp_address.h"

namespace swarm::api {

namespace {

constexpr platform::Arrivals::Limits kArrivals{
    .waiting = {.in_all = kMaxWaiting, .of_host = kMaxWaitingOfHost},
    .handshakes = {.in_all = kMaxStrangers, .of_host = kMaxStrangersOfHost},
    .patience = std::chrono::milliseconds(kGreetingMs)};

}  // namespace

FrontDoor::FrontDoor()
    : strangers_(std::make_shared<Strangers>(loop_)),
      arrivals_(loop_.context(), kArrivals,
                [this](Tcp::socket socket, platform::Arrivals::Place place) {
                  let_in(std::move(socket), std::move(place));
                }) {}

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
  SWARM_ASSIGN_OR_RETURN(acceptor_, platform::TcpAcceptor::open(
                                        loop_.context(), *found.begin(),
                                        [this](Tcp::socket s) { arrivals_.add(std::move(s)); }));
  return absl::OkStatus();
}

FrontDoor::~FrontDoor() {
  loop_.stop();
  strangers_->close();
}

void FrontDoor::open(Guests guests) {
  guests_ = std::move(guests);
  loop_.start();
}

uint16_t FrontDoor::port() const {
  return acceptor_->address().port();
}

// Watched before gRPC has it: its first call must find it.
void FrontDoor::let_in(Tcp::socket socket, platform::Arrivals::Place place) {
  char first = 0;
  platform::ErrorCode error;
  socket.receive(boost::asio::buffer(&first, 1), Tcp::socket::message_peek, error);
  if (error) {
    return;
  }
  if (first != platform::kFirstByteOfTls) {
    guests_.peer(std::move(socket));
    return;
  }
  Tcp::socket handle = platform::second_handle(socket);
  if (handle.is_open()) {
    strangers_->watch(std::move(handle), std::move(place));
    guests_.grpc(std::move(socket));
  }
}

}  // namespace swarm::api
