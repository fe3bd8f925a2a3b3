#include "api/peers/peer_link.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>
#include <vector>

#include "api/client/limits.h"
#include "api/peers/peer_connection.h"
#include "api/peers/peer_tls.h"
#include "base/asio_loop.h"
#include "base/log.h"
#include "platform/tcp_address.h"

namespace swarm::api {

// One connection, or one attempt at it. What is sent before the peer has said that it listens waits
// here. Calls its link until that lets it go.
class PeerLink::Dial final : public PeerConnection {
 public:
  Dial(PeerLink& link, boost::asio::ssl::context& context)
      : PeerConnection(Tcp::socket(link.loop_.context()), context), link_(&link), tls_(link.tls_) {}

  void enqueue(std::string_view message) {
    if (is_welcome_) {
      if (fits(unsent_bytes(), message)) {
        send(message);
      }
    } else if (fits(early_bytes_, message)) {
      early_bytes_ += message.size();
      early_.emplace_back(message);
    }
  }

  void let_go() {
    link_ = nullptr;
    close();
  }

 private:
  static bool fits(size_t bytes, std::string_view message) {
    return bytes == 0 || bytes + message.size() <= kMaxPeerQueueBytes;
  }

  void secured(const security::PeerIdentity& peer) override {
    if (const Status status = tls_->check_manager(peer); !status.ok()) {
      give_up(std::string(status.message()));
      return;
    }
    send(link_->greeting_);
  }

  void received(std::string_view answer) override {
    if (is_welcome_ || !answer.empty()) {
      give_up(is_welcome_ ? "it speaks where it should listen" : std::string(answer));
      return;
    }
    is_welcome_ = true;
    settle();
    link_->welcomed();
    for (const std::string& message : std::exchange(early_, {})) {
      send(message);
    }
  }

  void ended(ErrorCode error) override {
    // A node that is about to become a manager does not listen before it is one.
    const bool is_early = !is_welcome_ && error == boost::asio::error::eof;
    link_->ended(error.message(), error == boost::asio::error::connection_refused, is_early);
  }

  void give_up(const std::string& reason) {
    close();
    link_->ended(reason, false, false);
  }

  PeerLink* link_;
  const std::shared_ptr<PeerTls> tls_;
  bool is_welcome_ = false;
  std::vector<std::string> early_;
  size_t early_bytes_ = 0;
};

PeerLink::PeerLink(AsioLoop& loop, std::string greeting, std::string address,
                   std::shared_ptr<PeerTls> tls, std::function<void()> on_refused)
    : loop_(loop),
      greeting_(std::move(greeting)),
      address_(std::move(address)),
      tls_(std::move(tls)),
      on_refused_(std::move(on_refused)),
      retry_(loop) {
  open();
}

PeerLink::~PeerLink() {
  if (dial_ != nullptr) {
    dial_->let_go();
  }
}

void PeerLink::open() {
  const auto address = platform::split_tcp_address(address_);
  const auto context = tls_->context();
  if (!address.ok() || !context.ok()) {
    ended(std::string((address.ok() ? context.status() : address.status()).message()), false,
          false);
    return;
  }
  dial_ = std::make_shared<Dial>(*this, **context);
  dial_->connect(*address);
}

void PeerLink::send(std::string_view message) {
  if (dial_ != nullptr) {
    dial_->enqueue(message);
  }
}

void PeerLink::welcomed() {
  delay_ = Duration{};
  last_problem_.clear();
}

// One that worked is made again at once: if the process is gone, that is how it is noticed.
void PeerLink::ended(const std::string& reason, bool is_refused, bool is_early) {
  dial_.reset();
  if (last_problem_ != reason) {
    last_problem_ = reason;
    log::write(is_early ? log::Level::debug : log::Level::info, "connection to manager ended",
               {{"peer", address_}, {"reason", reason}});
  }
  retry_.set_after(delay_, [this] { open(); });
  delay_ = std::clamp<Duration>(delay_ * 2, kMinPeerRetry, kMaxPeerRetry);
  if (is_refused) {
    loop_.post(anchor_.bind([this] { on_refused_(); }));
  }
}

}  // namespace swarm::api
