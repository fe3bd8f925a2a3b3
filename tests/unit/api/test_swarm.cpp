#include "unit/api/test_swarm.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>

#include "base/check.h"
#include "security/tls/certificate.h"

namespace swarm::api {

namespace {

WallTime wall_now() {
  return WallTime(std::chrono::system_clock::now().time_since_epoch());
}

template <class T>
T value_of(Result<T> result) {
  SWARM_CHECK(result.ok(), std::string(result.status().message()));
  return *std::move(result);
}

}  // namespace

TestSwarm::TestSwarm(const std::string& id)
    : id_(id), root_(value_of(security::make_root(id_, wall_now()))) {}

TestSwarm::TestSwarm(const std::string& id, security::RootCertificate root)
    : id_(id), root_(std::move(root)) {}

std::string TestSwarm::digest() const {
  return value_of(security::digest_of(root_.certificate));
}

std::string TestSwarm::sign(const std::string& request, const std::string& node,
                            model::Role role) const {
  const security::PeerIdentity identity{.node = model::NodeId(node), .role = role, .swarm = id_};
  return value_of(security::sign(request, root_, identity, wall_now()));
}

std::shared_ptr<const security::NodeCredentials> TestSwarm::credentials(const std::string& node,
                                                                        model::Role role) const {
  const std::string key = value_of(security::make_key());
  return std::make_shared<const security::NodeCredentials>(security::NodeCredentials{
      .ca_certificate = root_.certificate,
      .certificate = sign(value_of(security::make_request(key)), node, role),
      .key = key});
}

CredentialsSource TestSwarm::source(const std::string& node, model::Role role) const {
  return [made = credentials(node, role)] { return made; };
}

std::string closed_address() {
  using boost::asio::ip::tcp;
  boost::asio::io_context io;
  tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
  return "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
}

}  // namespace swarm::api
