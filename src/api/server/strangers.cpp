#include "api/server/strangers.h"

#include <algorithm>
#include <utility>

#include "api/client/limits.h"
#include "api/server/caller.h"

namespace swarm::api {

using platform::ErrorCode;
using platform::Tcp;

namespace {

// Zones are written in more than one way.
std::string key_of(std::string host, std::string_view port) {
  host.resize(std::min(host.size(), host.find('%')));
  return host.append(" ").append(port);
}

std::string key_of(const Tcp::endpoint& remote) {
  boost::asio::ip::address address = remote.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  return key_of(address.to_string(), std::to_string(remote.port()));
}

}  // namespace

void Strangers::watch(Tcp::socket handle, platform::Arrivals::Place place) {
  ErrorCode is_over;
  const std::string key = key_of(handle.remote_endpoint(is_over));
  if (is_over) {
    return;
  }
  const auto watched = std::make_shared<Watched>(std::move(handle), std::move(place));
  {
    const std::lock_guard lock(mutex_);
    watched_[key] = watched;
    count_ = static_cast<int>(watched_.size());
  }
  watched->deadline.expires_after(std::chrono::milliseconds(kStrangerLifeMs));
  watched->deadline.async_wait([this, watched, key](ErrorCode aborted) {
    if (!aborted) {
      ErrorCode ignored;
      watched->handle.shutdown(Tcp::socket::shutdown_both, ignored);
      forget(key, watched);
    }
  });
  // Both directions are shut: gRPC is done with it, whatever the reason.
  watched->handle.async_wait(Tcp::socket::wait_error, [this, watched, key](ErrorCode aborted) {
    if (!aborted) {
      forget(key, watched);
    }
  });
}

// Unless a later connection from the same port has taken its place.
void Strangers::forget(const std::string& key, const std::shared_ptr<Watched>& watched) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(key);
    if (found != watched_.end() && found->second == watched) {
      watched_.erase(found);
      count_ = static_cast<int>(watched_.size());
    }
  }
  watched->end();
}

void Strangers::show(const std::string& peer) {
  const size_t port = peer.rfind(':');
  if (count_ == 0 || port == std::string::npos) {
    return;
  }
  // The lock is held until the loop has it: a door that closes meanwhile takes the loop away.
  const std::lock_guard lock(mutex_);
  auto known = watched_.extract(key_of(host_of_peer(peer), peer.substr(port + 1)));
  count_ = static_cast<int>(watched_.size());
  if (!known.empty()) {
    gate_->post([watched = std::move(known.mapped())] { watched->end(); });
  }
}

void Strangers::Watched::end() {
  platform::ErrorCode ignored;
  deadline.cancel();
  handle.close(ignored);
  place.free();
}

void Strangers::close() {
  const std::lock_guard lock(mutex_);
  gate_->close();
  watched_.clear();
  count_ = 0;
}

}  // namespace swarm::api
