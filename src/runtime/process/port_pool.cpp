#include "runtime/process/port_pool.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

namespace swarm::runtime {

namespace {

namespace asio = boost::asio;

constexpr uint16_t kFirstPort = 20'000;
constexpr uint64_t kPorts = 10'000;
constexpr int kMaxTries = 1'000;

template <class Protocol>
bool can_bind(asio::io_context& context, uint16_t port) {
  typename Protocol::socket socket(context);
  boost::system::error_code error;
  socket.open(Protocol::v4(), error);
  if (!error) {
    socket.bind({asio::ip::address_v4::loopback(), port}, error);
  }
  return !error;
}

}  // namespace

PortPool::PortPool(asio::io_context& context, Random random) : context_(context), random_(random) {}

Result<uint16_t> PortPool::choose(model::PortProtocol protocol) {
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const auto port = static_cast<uint16_t>(kFirstPort + random_.below(kPorts));
    if (taken_.contains(port)) {
      continue;
    }
    // Claimed first: of two that find it free at once, one has it.
    auto claim = platform::claim_port(port);
    if (claim != nullptr && is_free(port, protocol)) {
      taken_[port] = std::move(claim);
      return port;
    }
  }
  return absl::ResourceExhaustedError("no free loopback port from 20000 to 29999");
}

void PortPool::take(uint16_t port) {
  taken_[port] = platform::claim_port(port);
}

bool PortPool::is_free(uint16_t port, model::PortProtocol protocol) {
  return protocol == model::PortProtocol::tcp ? can_bind<asio::ip::tcp>(context_, port)
                                              : can_bind<asio::ip::udp>(context_, port);
}

}  // namespace swarm::runtime
