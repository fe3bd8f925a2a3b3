#include "manager/manager_role.h"

#include <future>
#include <utility>

#include "api/peer_transport.h"
#include "base/log.h"
#include "manager/data_key_cipher.h"
#include "manager/run_on.h"
#include "security/tls/credential_files.h"

namespace swarm::manager {

ManagerRole::ManagerRole(std::unique_ptr<raft::PayloadCipher> cipher)
    : cipher_(std::move(cipher)) {}

Result<std::unique_ptr<ManagerRole>> ManagerRole::open(
    const NodeRecord& record, const std::filesystem::path& directory, FileSystem& files,
    api::CredentialsSource credentials, Start start, const FindMembers& find_members) {
  SWARM_ASSIGN_OR_RETURN(std::string key, security::load_or_make_data_key(files, directory));
  std::unique_ptr<ManagerRole> role(
      new ManagerRole(std::make_unique<DataKeyCipher>(std::move(key))));
  role->control_loop_.start();
  role->raft_loop_.start();
  role->log_loop_.start();
  ManagerRole* const self = role.get();
  auto transport = std::make_unique<api::PeerTransport>(
      role->raft_loop_, raft::MemberId(record.member.value()), std::move(credentials),
      api::PeerTransport::Events{
          .refused =
              [self](raft::MemberId peer) {
                self->manager_->peer_refused(model::MemberId(peer.value()));
              },
          .received =
              [self](raft::MemberId from, std::string message) {
                self->manager_->receive(model::MemberId(from.value()), std::move(message));
              },
          .is_removed =
              [self](const model::NodeId& node) { return self->manager_->is_removed(node); }});
  const api::PeerTransport::Intake intake = transport->intake();
  role->transport_ = std::move(transport);
  const ManagerEnvironment environment{role->control_loop_, role->raft_loop_,
                                       role->log_loop_,     files,
                                       *role->transport_,   *role->cipher_};
  SWARM_ASSIGN_OR_RETURN(
      role->manager_,
      Manager::open({record.node, record.member, record.advertise_address, directory / "raft"},
                    environment, Random::from_system()));
  role->gateway_ = std::make_shared<ManagerGateway>(role->manager_, role->signer_, intake);
  if (start.kind == Start::Kind::found) {
    SWARM_RETURN_IF_ERROR(role->manager_->bootstrap(std::move(start.first)));
  } else if (start.kind == Start::Kind::force_alone) {
    SWARM_RETURN_IF_ERROR(role->manager_->force_alone(std::move(start.first)));
  } else {
    role->manager_->begin_with(std::move(start.first));
  }
  if (!role->manager_->knows_members()) {
    const std::vector<raft::Member> members = find_members();
    run_on(role->raft_loop_, [&] {
      for (const raft::Member& member : members) {
        role->transport_->set_peer(member.id, member.address);
      }
    });
  }
  role->manager_->start();
  return role;
}

ManagerRole::~ManagerRole() {
  stop();
}

void ManagerRole::stop() {
  if (std::exchange(is_stopped_, true)) {
    return;
  }
  if (manager_ != nullptr) {
    std::promise<void> handed_over;
    manager_->hand_over([&handed_over] { handed_over.set_value(); });
    handed_over.get_future().wait();
    manager_->stop();
  }
  // The transport lives on the raft loop and dies there.
  run_on(raft_loop_, [this] { transport_.reset(); });
  control_loop_.stop();
  raft_loop_.stop();
  log_loop_.stop();
}

}  // namespace swarm::manager
