// How a node enters a swarm: blocking sequences of Node.

#include <memory>
#include <optional>
#include <utility>

#include "api/join_client.h"
#include "api/server.h"
#include "api/tls_client.h"
#include "base/log.h"
#include "base/units.h"
#include "manager/ask_any.h"
#include "manager/left_membership.h"
#include "manager/node.h"
#include "manager/wait_until.h"
#include "platform/file_system.h"
#include "platform/tcp_acceptor.h"
#include "security/tls/certificate_authority.h"
#include "security/tls/credential_files.h"

namespace swarm::manager {

namespace {

constexpr Duration kStartLimit = seconds(20);

}  // namespace

Status Node::check_not_member() const {
  if (!membership_fault().empty()) {
    return not_a_member();
  }
  if (credentials() == nullptr) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "this node is already part of a swarm: use `swarmctl swarm leave` to leave it first");
}

Status Node::not_a_member() const {
  const std::string fault = membership_fault();
  return absl::FailedPreconditionError(
      fault.empty() ? "this node is not part of a swarm: use `swarmctl swarm init` to make one, or "
                      "`swarmctl swarm restore FILE` to bring one back"
                    : "this node refuses to work: " + fault);
}

Status Node::clear_membership() {
  SWARM_RETURN_IF_ERROR(begin_leaving(files_, options_.state_directory));
  for (const std::string_view name : kMembershipFiles) {
    SWARM_RETURN_IF_ERROR(platform::remove_tree(options_.state_directory / name));
  }
  SWARM_RETURN_IF_ERROR(remove_mark(files_, options_.state_directory));
  renewal_.cancel();
  forget_refusal();
  const std::scoped_lock lock(mutex_);
  record_ = {};
  credentials_.reset();
  membership_fault_.clear();
  return absl::OkStatus();
}

Status Node::undo_entry() {
  agent_.reset();
  stop_server();
  stop_manager();
  return clear_membership();
}

Status Node::await_leader() {
  Manager& manager = manager_->manager();
  const bool has_leader = wait_until(manager.loop(), kStartLimit,
                                     [&manager] { return !manager.leader().address.empty(); });
  return has_leader ? absl::OkStatus()
                    : absl::UnavailableError(
                          "the swarm has no leader: fewer than a quorum of "
                          "its managers can be reached");
}

Status Node::await_own_leadership() {
  Manager& manager = manager_->manager();
  // The gate answers later, maybe after this has given up.
  auto answer = std::make_shared<std::optional<Status>>();
  const bool leads =
      wait_until(manager.loop(), kStartLimit, [&manager, answer, asked = false]() mutable {
        if (!asked && manager.leader().is_self) {
          asked = true;
          manager.gate().when_committed(manager.store().head(),
                                        [answer](const Status& status) { *answer = status; });
        }
        return answer->has_value();
      });
  return leads ? **answer
               : absl::UnavailableError("this node did not come to lead the swarm within " +
                                        std::to_string(kStartLimit / seconds(1)) + " s");
}

// ---- init ----

namespace {

Status check_mesh_port(const HostPort& mesh) {
  const Status free = platform::check_port_free(mesh.host, mesh.port);
  if (free.ok()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "the mesh port " + mesh.text() + " " + std::string(free.message()) +
      " (Docker's swarm mode uses 7946 too): end that program, or start swarmd with another "
      "--mesh-port on every node");
}

}  // namespace

// A node whose mesh cannot listen would serve no published port, and a port of ours is closed when
// this returns: what is checked here is what the mesh opens a moment later.
Result<RuntimeChoice> Node::prepare_entry(const SwarmAddresses& addresses) const {
  HostPort mesh = addresses.listen;
  mesh.port = options_.agent.mesh_port;
  SWARM_RETURN_IF_ERROR(check_mesh_port(mesh));
  return decide_runtime();
}

namespace {

Result<Duration> choose_validity(Duration asked, Duration least) {
  if (asked == Duration{}) {
    return model::kCertificateValidity;
  }
  if (asked < least || asked > security::kRootValidity) {
    return absl::InvalidArgumentError("a certificate's validity of " + format_duration(asked) +
                                      " is not possible: use " + format_duration(least) + " to " +
                                      format_duration(security::kRootValidity) +
                                      " with --cert-expiry");
  }
  return asked;
}

Result<Duration> choose_grace(Duration asked) {
  if (asked > security::kRootValidity) {
    return absl::InvalidArgumentError("a grace of " + format_duration(asked) +
                                      " is longer than the swarm's root is valid: use "
                                      "at most " +
                                      format_duration(security::kRootValidity) +
                                      " with --cert-renewal-grace");
  }
  return asked == Duration{} ? model::kCertificateGrace : asked;
}

}  // namespace

Result<api::LocalNode::Initialized> Node::init_here(const InitOptions& options) {
  SWARM_RETURN_IF_ERROR(check_not_member());
  SWARM_ASSIGN_OR_RETURN(
      const Duration validity,
      choose_validity(options.certificate_validity, options_.min_certificate_validity));
  SWARM_ASSIGN_OR_RETURN(const Duration grace, choose_grace(options.certificate_grace));
  SWARM_ASSIGN_OR_RETURN(const SwarmAddresses addresses,
                         choose_addresses({options.listen_address, options.advertise_address,
                                           options.force, options_.agent.mesh_port},
                                          MachineNetwork::of_this_machine()));
  SWARM_ASSIGN_OR_RETURN(const RuntimeChoice runtime, prepare_entry(addresses));
  SWARM_ASSIGN_OR_RETURN(NewSwarm swarm,
                         make_swarm(addresses, options.availability, {validity, grace},
                                    lifecycle_.wall_now(), random_));
  record_runtime(runtime, &swarm.record);
  Result<Initialized> made =
      enter_as_only_manager(std::move(swarm), ManagerRole::Start::Kind::found);
  if (made.ok()) {
    log::info("swarm initialized", {{"swarm", record().swarm.value()}});
  }
  return made;
}

Result<api::LocalNode::Initialized> Node::enter_as_only_manager(NewSwarm swarm,
                                                                ManagerRole::Start::Kind kind) {
  SWARM_RETURN_IF_ERROR(begin_entry(files_, options_.state_directory));
  adopt(swarm.record, swarm.credentials);
  Status status = security::save_credentials(files_, options_.state_directory, swarm.credentials);
  if (status.ok()) {
    status = start_server(swarm.record);
  }
  if (status.ok()) {
    status = start_manager(swarm.record, {kind, std::move(swarm.first)});
  }
  if (status.ok()) {
    status = await_own_leadership();
  }
  if (status.ok()) {
    status = save(swarm.record);
  }
  if (status.ok()) {
    status = start_agent(swarm.record);
  }
  if (!status.ok()) {
    SWARM_RETURN_IF_ERROR(undo_entry());
    return status;
  }
  return Initialized{swarm.record.node, swarm.worker_token, swarm.manager_token,
                     swarm.record.advertise_address};
}

// ---- join ----

Result<model::Role> Node::join_here(const JoinOptions& options) {
  SWARM_RETURN_IF_ERROR(check_not_member());
  SWARM_ASSIGN_OR_RETURN(const SwarmAddresses addresses,
                         choose_addresses({options.listen_address, options.advertise_address,
                                           options.force, options_.agent.mesh_port},
                                          MachineNetwork::of_this_machine()));
  SWARM_ASSIGN_OR_RETURN(const RuntimeChoice runtime, prepare_entry(addresses));
  SWARM_ASSIGN_OR_RETURN(Admission admission, ask_for_admission(options, addresses));
  record_runtime(runtime, &admission.record);
  SWARM_RETURN_IF_ERROR(begin_entry(files_, options_.state_directory));
  adopt(admission.record, admission.credentials);
  Status status =
      security::save_credentials(files_, options_.state_directory, admission.credentials);
  if (status.ok() && admission.record.role == model::Role::manager) {
    status = join_group(admission.record);
  }
  if (status.ok()) {
    status = save(admission.record);
  }
  if (status.ok()) {
    status = start_agent(admission.record);
  }
  if (!status.ok()) {
    SWARM_RETURN_IF_ERROR(undo_entry());
    return status;
  }
  log::info("swarm joined", {{"swarm", admission.record.swarm.value()},
                             {"role", model::to_string(admission.record.role)}});
  return admission.record.role;
}

// The server listens before the group hears of this member: a port in use must not leave behind a
// member that cannot be reached.
Status Node::join_group(NodeRecord& record) {
  SWARM_RETURN_IF_ERROR(start_server(record));
  SWARM_ASSIGN_OR_RETURN(
      record.member, ask_any<Result<model::MemberId>>(record.managers, [&](const auto& address) {
        return api::join_raft(address, *credentials(), record.advertise_address, kCallTimeout);
      }));
  SWARM_RETURN_IF_ERROR(remove_raft_state_unless_of(record.member));
  SWARM_RETURN_IF_ERROR(start_manager(record, {ManagerRole::Start::Kind::enter}));
  return await_leader();
}

// Of a manager that is not this node.
Result<std::vector<api::Client::NodeView>> Node::list_nodes(const NodeRecord& self) const {
  using Listed = Result<std::vector<api::Client::NodeView>>;
  std::vector<std::string> others = self.managers;
  std::erase(others, self.advertise_address);
  return ask_any<Listed>(others, [&](const std::string& address) {
    return api::connect_tls(address, *credentials(), kCallTimeout)->list_nodes();
  });
}

std::vector<raft::Member> Node::find_members(const NodeRecord& record) const {
  const Result<std::vector<api::Client::NodeView>> nodes = list_nodes(record);
  std::vector<raft::Member> members;
  if (!nodes.ok()) {
    log::error("the managers of the swarm could not be listed",
               {{"error", nodes.status().message()}});
    return members;
  }
  for (const api::Client::NodeView& view : *nodes) {
    if (view.node.manager.has_value() && view.node.id != record.node) {
      members.push_back(
          {raft::MemberId(view.node.manager->member.value()), view.node.manager->address, false});
    }
  }
  return members;
}

}  // namespace swarm::manager
