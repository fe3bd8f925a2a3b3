#include "manager/manager_role.h"

#include <future>
#include <utility>

#include "api/peer_transport.h"
#include "base/log.h"
#include "manager/data_key_cipher.h"
#include "manager/mesh_probe.h"
#include "manager/run_on.h"
#include "security/tls/credential_files.h"

namespace swarm::manager {

ManagerRole::ManagerRole(std::unique_ptr<raft::PayloadCipher> cipher)
    : cipher_(std::move(cipher)) {}

// What it calls is there by then: nothing arrives before the manager has started.
std::unique_ptr<api::PeerTransport> ManagerRole::make_transport(
    model::MemberId member, api::CredentialsSource credentials) {
  return std::make_unique<api::PeerTransport>(
      raft_loop_, raft::MemberId(member.value()), std::move(credentials),
      api::PeerTransport::Events{
          .refused =
              [this](raft::MemberId peer) {
                manager_->peer_refused(model::MemberId(peer.value()));
              },
          .received =
              [this](raft::MemberId from, std::string message) {
                manager_->receive(model::MemberId(from.value()), std::move(message));
              },
          .is_removed = [this](const model::NodeId& node) { return manager_->is_removed(node); }});
}

Result<std::unique_ptr<ManagerRole>> ManagerRole::open(const NodeRecord& record,
                                                       const std::filesystem::path& directory,
                                                       FileSystem& files,
                                                       api::CredentialsSource credentials,
                                                       Start start, const FindMembers& find_members,
                                                       std::function<void(Status)> on_state_lost) {
  SWARM_ASSIGN_OR_RETURN(std::string key, security::load_or_make_data_key(files, directory));
  std::unique_ptr<ManagerRole> role(
      new ManagerRole(std::make_unique<DataKeyCipher>(std::move(key))));
  role->control_loop_.start();
  role->raft_loop_.start();
  role->log_loop_.start();
  auto transport = role->make_transport(record.member, credentials);
  ManagerGateway::Peers peers{transport->intake(), transport->dial_back()};
  role->transport_ = std::move(transport);
  const ManagerEnvironment environment{
      role->control_loop_,
      role->raft_loop_,
      role->log_loop_,
      files,
      *role->transport_,
      *role->cipher_,
      make_mesh_probe(role->raft_loop_, role->control_loop_, std::move(credentials))};
  SWARM_ASSIGN_OR_RETURN(role->manager_,
                         Manager::open({.node = record.node,
                                        .member = record.member,
                                        .address = record.advertise_address,
                                        .directory = directory / "raft",
                                        .promises = directory / kPromisesFile,
                                        .has_taken_part = start.kind == Start::Kind::resume ||
                                                          start.kind == Start::Kind::force_alone,
                                        .on_state_lost = std::move(on_state_lost)},
                                       environment, Random::from_system()));
  role->gateway_ =
      std::make_shared<ManagerGateway>(role->manager_, role->signer_, std::move(peers));
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
