#include "manager/mesh_probe.h"

#include <memory>
#include <utility>

#include "mesh/proxy/endpoint_text.h"
#include "mesh/proxy/peer_link.h"
#include "mesh/proxy/tls_identity.h"

namespace swarm::manager {

namespace {

using Answer = absl::AnyInvocable<void(bool)>;

// One attempt; ends by the handshake or by the limit, whichever is first.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(AsioLoop& loop, Answer answer)
      : loop_(loop), answer_(std::move(answer)), timer_(std::make_unique<Timer>(loop)) {}

  void run(const mesh::Credentials& credentials, const std::string& address,
           const model::NodeId& node, Duration limit) {
    auto identity = mesh::TlsIdentity::make(credentials);
    const auto endpoint = mesh::parse_endpoint(address);
    if (!identity.ok() || !endpoint.ok()) {
      finish(false);
      return;
    }
    link_ =
        std::make_shared<mesh::PeerLink>(mesh::Tcp::socket(loop_.context()), *std::move(identity));
    timer_->set_after(limit, [self = shared_from_this()] { self->finish(false); });
    link_->connect(*endpoint, node, [self = shared_from_this()](const Status& status) {
      self->finish(status.ok());
    });
  }

 private:
  void finish(bool answers) {
    if (answer_ == nullptr) {
      return;
    }
    std::exchange(answer_, nullptr)(answers);
    // What is being called may belong to these.
    loop_.post([self = shared_from_this()] {
      self->timer_.reset();
      if (self->link_ != nullptr) {
        self->link_->close();
        self->link_.reset();
      }
    });
  }

  AsioLoop& loop_;
  Answer answer_;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<mesh::PeerLink> link_;
};

}  // namespace

dispatcher::MeshProbe make_mesh_probe(AsioLoop& sockets, EventLoop& control,
                                      api::CredentialsSource credentials) {
  return [&sockets, &control, credentials = std::move(credentials)](
             const model::NodeId& node, const std::string& address, Duration limit, Answer answer) {
    sockets.post([&sockets, &control, credentials, node, address, limit,
                  answer = std::move(answer)]() mutable {
      Answer on_control = [&control, answer = std::move(answer)](bool answers) mutable {
        control.post([answers, answer = std::move(answer)]() mutable { answer(answers); });
      };
      const auto own = credentials();
      std::make_shared<Attempt>(sockets, std::move(on_control))
          ->run({own->ca_certificate, own->certificate, own->key}, address, node, limit);
    });
  };
}

}  // namespace swarm::manager
