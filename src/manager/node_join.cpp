// How a node enters a swarm and leaves it: blocking sequences of Node.

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "api/join_client.h"
#include "api/server.h"
#include "api/tls_client.h"
#include "base/log.h"
#include "base/thread_loop.h"
#include "base/units.h"
#include "manager/ask_any.h"
#include "manager/node.h"
#include "manager/run_on.h"
#include "platform/file_system.h"
#include "platform/tcp_acceptor.h"
#include "security/tls/certificate_authority.h"
#include "security/tls/credential_files.h"

namespace swarm::manager {

namespace {

constexpr Duration kStartLimit = seconds(20);
constexpr Duration kCallTimeout = seconds(10);
constexpr Duration kLeaveLimit = seconds(8);
constexpr Duration kPollPeriod = milliseconds(20);
constexpr Duration kLookAgain = milliseconds(50);

// Asks again every kPollPeriod until the condition holds or the limit has passed.
class Wait : public std::enable_shared_from_this<Wait> {
 public:
  Wait(EventLoop& loop, absl::AnyInvocable<bool()> condition)
      : loop_(loop), condition_(std::move(condition)) {}

  bool run(Duration limit) {
    loop_.post([self = shared_from_this(), limit] {
      self->end_ = self->loop_.now() + limit;
      self->poll();
    });
    return done_.get_future().get();
  }

 private:
  void poll() {
    if (condition_()) {
      done_.set_value(true);
    } else if (loop_.now() >= end_) {
      done_.set_value(false);
    } else {
      loop_.call_at(loop_.now() + kPollPeriod, [self = shared_from_this()] { self->poll(); });
    }
  }

  EventLoop& loop_;
  absl::AnyInvocable<bool()> condition_;
  TimePoint end_;
  std::promise<bool> done_;
};

// Whether `condition`, asked on the loop, came true within `limit`. Off that loop.
bool wait_until(EventLoop& loop, Duration limit, absl::AnyInvocable<bool()> condition) {
  return std::make_shared<Wait>(loop, std::move(condition))->run(limit);
}

}  // namespace

Status Node::check_not_member() const {
  if (credentials() == nullptr) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "this node is already part of a swarm: use `swarmctl swarm leave` to leave it first");
}

Status Node::clear_membership() {
  SWARM_RETURN_IF_ERROR(remove_node_record(files_, options_.state_directory));
  for (const char* const name : {"raft", kPromisesFile, "agent", "node.pem", "data.key"}) {
    SWARM_RETURN_IF_ERROR(platform::remove_tree(options_.state_directory / name));
  }
  renewal_.cancel();
  forget_refusal();
  const std::scoped_lock lock(mutex_);
  record_ = {};
  credentials_.reset();
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
Status Node::prepare_entry(const SwarmAddresses& addresses, NodeRecord& record) const {
  HostPort mesh = addresses.listen;
  mesh.port = options_.agent.mesh_port;
  SWARM_RETURN_IF_ERROR(check_mesh_port(mesh));
  return decide_runtime(record);
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
  SWARM_ASSIGN_OR_RETURN(
      const SwarmAddresses addresses,
      choose_addresses({options.listen_address, options.advertise_address, options.force},
                       MachineNetwork::of_this_machine()));
  NodeRecord prepared;
  SWARM_RETURN_IF_ERROR(prepare_entry(addresses, prepared));
  SWARM_ASSIGN_OR_RETURN(NewSwarm swarm,
                         make_swarm(addresses, options.availability, {validity, grace},
                                    lifecycle_.wall_now(), random_));
  swarm.record.runtime = prepared.runtime;
  swarm.record.engine = prepared.engine;
  Result<Initialized> made =
      enter_as_only_manager(std::move(swarm), ManagerRole::Start::Kind::found);
  if (made.ok()) {
    log::info("swarm initialized", {{"swarm", record().swarm.value()}});
  }
  return made;
}

Result<api::LocalNode::Initialized> Node::enter_as_only_manager(NewSwarm swarm,
                                                                ManagerRole::Start::Kind kind) {
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
  SWARM_ASSIGN_OR_RETURN(
      const SwarmAddresses addresses,
      choose_addresses({options.listen_address, options.advertise_address, options.force},
                       MachineNetwork::of_this_machine()));
  NodeRecord prepared;
  SWARM_RETURN_IF_ERROR(prepare_entry(addresses, prepared));
  SWARM_ASSIGN_OR_RETURN(Admission admission, ask_for_admission(options, addresses));
  admission.record.runtime = prepared.runtime;
  admission.record.engine = prepared.engine;
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

// ---- leave ----

// The sentence depends on what would be lost, as the leader sees it.
Status Node::refuse_to_leave() const {
  const std::string force = ". To leave all the same, run `swarmctl swarm leave --force`";
  const auto refuse = [&force](const std::string& why) {
    return absl::FailedPreconditionError("this node is a manager" + why + force);
  };
  if (manager_ == nullptr) {
    return refuse(" that does not serve: " + manager_refusal());
  }
  const NodeRecord self = record();
  const auto nodes = ask_any<Result<std::vector<api::Client::NodeView>>>(
      self.managers, [&](const std::string& address) {
        return api::connect_tls(address, *credentials(), kCallTimeout)->list_nodes();
      });
  if (!nodes.ok()) {
    return refuse(", and whether the others can do without it is not known: " +
                  std::string(nodes.status().message()));
  }
  std::vector<std::string> unreachable;
  size_t others = 0;
  for (const api::Client::NodeView& view : *nodes) {
    const bool stays = view.node.manager.has_value() && view.node.spec.role == model::Role::manager;
    if (!stays || view.node.id == self.node) {
      continue;
    }
    ++others;
    if (!view.is_reachable && !view.is_leader) {
      unreachable.push_back(view.node.description.hostname);
    }
  }
  if (others == 0) {
    return absl::FailedPreconditionError(
        "this node is the last manager: leaving ends the swarm and removes its services" + force);
  }
  if ((others - unreachable.size()) * 2 <= others) {
    std::string names;
    for (const std::string& name : unreachable) {
      names += (names.empty() ? "" : ", ") + name;
    }
    return refuse(", and without it the swarm would lose quorum: of the " + std::to_string(others) +
                  " resulting managers, these are unreachable: " + names +
                  ". Start them again or add managers first");
  }
  return refuse(": demote it first with `swarmctl node demote`");
}

Status Node::leave_here(bool force) {
  if (credentials() == nullptr) {
    return absl::FailedPreconditionError("this node is not part of a swarm");
  }
  if (record().role == model::Role::manager) {
    if (!force) {
      return refuse_to_leave();
    }
    leave_group();
  }
  if (agent_ != nullptr) {
    agent_->leave();
    agent_.reset();
  }
  stop_server();
  stop_manager();
  const Status cleared = clear_membership();
  log::info("swarm left");
  return cleared;
}

// Asked until the group no longer lists this node. A leader that is asked hands over first, and the
// next one takes it out; a leader that was elected a moment ago may not have heard of enough yet.
void Node::leave_group() {
  const NodeRecord self = record();
  if (self.managers.empty() ||
      (self.managers.size() == 1 && self.managers.front() == self.advertise_address)) {
    return;  // there is nobody else
  }
  ThreadLoop clock{"leave"};
  clock.start();
  const TimePoint end = lifecycle_.now() + kLeaveLimit;
  Status asked = absl::UnavailableError("not asked yet");
  while (lifecycle_.now() < end) {
    if (!asked.ok()) {
      asked = ask_any<Status>(self.managers, [&](const std::string& address) {
        return api::leave_raft(address, *credentials(), kCallTimeout);
      });
    }
    if (asked.ok() && is_out_of_group(self)) {
      return;
    }
    // Nothing tells a member that it was removed: look again after a while.
    wait_until(clock, kLookAgain, [] { return false; });
  }
  log::warning("left before the group agreed to it", {{"reason", asked.message()}});
}

bool Node::is_out_of_group(const NodeRecord& self) const {
  const Result<std::vector<api::Client::NodeView>> nodes = list_nodes(self);
  if (!nodes.ok()) {
    return false;
  }
  return std::none_of(nodes->begin(), nodes->end(), [&](const api::Client::NodeView& view) {
    return view.node.id == self.node && view.node.manager.has_value();
  });
}

}  // namespace swarm::manager
