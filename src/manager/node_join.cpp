// How a node enters a swarm, changes its role in it, and leaves: the blocking sequences of Node.

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "api/client.h"
#include "api/join_client.h"
#include "api/server.h"
#include "base/log.h"
#include "manager/node.h"
#include "manager/run_on.h"
#include "platform/file_system.h"
#include "platform/host.h"
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

bool is_unavailable(const Status& status) {
  return absl::IsUnavailable(status);
}
template <class T>
bool is_unavailable(const Result<T>& result) {
  return absl::IsUnavailable(result.status());
}

// The answer of the first manager that can be reached.
template <class Answer, class Call>
Answer ask_any(const std::vector<std::string>& managers, Call call) {
  Answer answer = absl::UnavailableError("no manager of the swarm is known");
  for (const std::string& address : managers) {
    answer = call(address);
    if (!is_unavailable(answer)) {
      break;
    }
  }
  return answer;
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
  for (const char* const name : {"raft", "agent", "node.pem", "data.key"}) {
    SWARM_RETURN_IF_ERROR(platform::remove_tree(options_.state_directory / name));
  }
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

Result<api::LocalNode::Initialized> Node::init_here(const InitOptions& options) {
  SWARM_RETURN_IF_ERROR(check_not_member());
  SWARM_ASSIGN_OR_RETURN(const SwarmAddresses addresses,
                         choose_addresses(options.listen_address, options.advertise_address,
                                          platform::reachable_addresses()));
  SWARM_ASSIGN_OR_RETURN(
      NewSwarm swarm, make_swarm(addresses, options.availability, lifecycle_.wall_now(), random_));
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
  SWARM_ASSIGN_OR_RETURN(const SwarmAddresses addresses,
                         choose_addresses(options.listen_address, options.advertise_address,
                                          platform::reachable_addresses()));
  SWARM_ASSIGN_OR_RETURN(Admission admission, ask_for_admission(options, addresses));
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
  SWARM_RETURN_IF_ERROR(start_manager(record, {}));
  return await_leader();
}

// Of a manager that is not this node.
Result<std::vector<api::Client::NodeView>> Node::list_nodes(const NodeRecord& self) const {
  using Listed = Result<std::vector<api::Client::NodeView>>;
  std::vector<std::string> others = self.managers;
  std::erase(others, self.advertise_address);
  return ask_any<Listed>(others, [&](const std::string& address) {
    return api::Client::connect_tls(address, *credentials(), kCallTimeout)->list_nodes();
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

// ---- promotion and demotion ----

void Node::change_role(model::Role role) {
  NodeRecord changed = record();
  if (agent_ == nullptr || changed.role == role) {
    return;
  }
  const security::NodeCredentials old = *credentials();
  const Result<std::string> request = security::make_request(old.key);
  if (!request.ok()) {
    log::error("no certificate request", {{"error", request.status().message()}});
    return;
  }
  Result<api::Gateway::IssuedCertificate> issued = ask_any<Result<api::Gateway::IssuedCertificate>>(
      changed.managers, [&](const std::string& address) {
        return api::renew_certificate(address, old, *request, kCallTimeout);
      });
  if (!issued.ok() || issued->role != role) {
    // The dispatcher goes on telling the role: this is tried again.
    log::info("role not changed yet",
              {{"role", model::to_string(role)}, {"reason", issued.status().message()}});
    return;
  }
  security::NodeCredentials renewed = old;
  renewed.certificate = issued->certificate;
  Status status = security::save_credentials(files_, options_.state_directory, renewed);
  if (status.ok()) {
    changed.role = role;
    adopt(changed, std::move(renewed));
    agent_->credentials_changed();
    stop_server();
    stop_manager();
    status = role == model::Role::manager ? promote(changed) : absl::OkStatus();
  }
  if (status.ok() && role == model::Role::worker) {
    changed.member = {};
    status = platform::remove_tree(options_.state_directory / "raft");
  }
  if (status.ok()) {
    status = save(changed);
  }
  if (!status.ok()) {
    log::error("role change failed",
               {{"role", model::to_string(role)}, {"error", status.message()}});
    return;
  }
  log::info("role changed", {{"role", model::to_string(role)}});
}

Status Node::promote(NodeRecord& record) {
  const Status joined = join_group(record);
  if (!joined.ok()) {
    // Still a worker: the next message of the dispatcher tries again.
    stop_server();
    stop_manager();
    record.role = model::Role::worker;
    const std::scoped_lock lock(mutex_);
    record_.role = model::Role::worker;
  }
  return joined;
}

// ---- leave ----

namespace {

// The sentence depends on what would be lost.
Status refuse_to_leave(size_t managers, size_t reachable) {
  const std::string force = "; to leave all the same, use `swarmctl swarm leave --force`";
  if (managers <= 1) {
    return absl::FailedPreconditionError(
        "this node is the last manager: leaving ends the swarm and removes its services" + force);
  }
  const size_t left = reachable > 0 ? reachable - 1 : 0;
  if (left * 2 <= managers - 1) {
    return absl::FailedPreconditionError(
        "this node is a manager, and without it the swarm loses its quorum: add or restore "
        "managers first" +
        force);
  }
  return absl::FailedPreconditionError(
      "this node is a manager: demote it first with `swarmctl node demote`" + force);
}

}  // namespace

Status Node::leave_here(bool force) {
  if (credentials() == nullptr) {
    return absl::FailedPreconditionError("this node is not part of a swarm");
  }
  if (manager_ != nullptr) {
    std::promise<size_t> reachable;
    manager_->manager().ask_reachable(
        [&](const std::vector<model::MemberId>& members) { reachable.set_value(members.size()); });
    size_t managers = 0;
    run_on(manager_->manager().loop(), [&] {
      for (const auto& [id, node] : manager_->manager().store().view().nodes()) {
        managers += node->manager.has_value() ? 1 : 0;
      }
    });
    if (!force) {
      return refuse_to_leave(managers, reachable.get_future().get());
    }
    if (managers > 1) {
      leave_group();
    }
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
    wait_until(manager_->manager().loop(), kLookAgain, [] { return false; });
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
