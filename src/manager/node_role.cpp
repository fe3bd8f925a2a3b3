// How a node changes its role and renews its certificate: blocking sequences of Node.

#include <algorithm>
#include <utility>

#include "api/join_client.h"
#include "base/log.h"
#include "base/units.h"
#include "manager/ask_any.h"
#include "manager/node.h"
#include "platform/file_system.h"
#include "raft/log/promise_file.h"
#include "security/renewal.h"
#include "security/tls/certificate.h"
#include "security/tls/certificate_authority.h"
#include "security/tls/credential_files.h"

namespace swarm::manager {

namespace {

constexpr Duration kRenewalTimeout = seconds(10);
// The loop's clock stands still while the machine sleeps: the calendar is looked at this often.
constexpr Duration kMaxRenewalWait = hours(1);

}  // namespace

// ---- certificate ----

Status Node::renew_certificate(model::Role role) {
  const auto old = credentials();
  security::NodeCredentials renewed;
  renewed.ca_certificate = old->ca_certificate;
  SWARM_ASSIGN_OR_RETURN(renewed.key, security::make_key());
  SWARM_ASSIGN_OR_RETURN(const std::string request, security::make_request(renewed.key));
  NodeRecord changed = record();
  using Issued = Result<api::Gateway::IssuedCertificate>;
  SWARM_ASSIGN_OR_RETURN(const api::Gateway::IssuedCertificate issued,
                         ask_any<Issued>(changed.managers, [&](const std::string& address) {
                           return api::renew_certificate(address, *old, request, kRenewalTimeout);
                         }));
  if (issued.role != role) {
    return absl::FailedPreconditionError("the swarm wants this node as a " +
                                         std::string(model::to_string(issued.role)));
  }
  renewed.certificate = issued.certificate;
  SWARM_RETURN_IF_ERROR(security::save_credentials(files_, options_.state_directory, renewed));
  changed.role = role;
  // From here on servers and clients that connect show it; what is connected stays.
  adopt(std::move(changed), std::move(renewed));
  agent_->credentials_changed();
  return absl::OkStatus();
}

void Node::schedule_renewal() {
  const Result<security::Validity> validity = security::validity_of(credentials()->certificate);
  if (!validity.ok()) {
    log::error("certificate not understood", {{"error", validity.status().message()}});
    return;
  }
  renewal_at_ = security::renewal_time(*validity, random_.unit());
  renew_by_age();
}

void Node::renew_by_age() {
  const Duration left = renewal_at_ - lifecycle_.wall_now();
  if (left > Duration{0} || agent_ == nullptr) {
    renewal_.set_after(std::clamp<Duration>(left, seconds(1), kMaxRenewalWait),
                       [this] { renew_by_age(); });
    return;
  }
  const Status renewed = renew_certificate(record().role);
  const Result<security::Validity> validity = security::validity_of(credentials()->certificate);
  if (renewed.ok()) {
    log::info("certificate renewed", {{"valid_until", format_time(validity->not_after)}});
    return;  // `adopt` has looked ahead
  }
  log::warning("certificate not renewed yet", {{"error", renewed.message()}});
  renewal_.set_after(validity.ok() ? security::renewal_retry(*validity) : kMaxRenewalWait,
                     [this] { renew_by_age(); });
}

// ---- promotion and demotion ----

void Node::change_role(model::Role role) {
  if (agent_ == nullptr || record().role == role) {
    return;
  }
  if (const Status renewed = renew_certificate(role); !renewed.ok()) {
    // The dispatcher goes on telling the role: this is tried again.
    log::info("role not changed yet",
              {{"role", model::to_string(role)}, {"reason", renewed.message()}});
    return;
  }
  NodeRecord changed = record();
  stop_server();
  stop_manager();
  Status status = role == model::Role::manager ? promote(changed) : absl::OkStatus();
  if (role == model::Role::worker) {
    changed.member = {};
  }
  if (status.ok()) {
    status = save(changed);
  }
  // After the record: a manager without them would refuse to serve.
  if (status.ok() && role == model::Role::worker) {
    status = remove_raft_state();
    forget_refusal();
    agent_->set_manager_refusal({});
  }
  if (!status.ok()) {
    log::error("role change failed",
               {{"role", model::to_string(role)}, {"error", status.message()}});
    return;
  }
  log::info("role changed", {{"role", model::to_string(role)}});
}

Status Node::remove_raft_state() {
  for (const char* const name : {"raft", kPromisesFile}) {
    SWARM_RETURN_IF_ERROR(platform::remove_tree(options_.state_directory / name));
  }
  return absl::OkStatus();
}

// What is left of an earlier time as a manager. A member that asked before keeps its id and what it
// has: the group may count on it already.
Status Node::remove_raft_state_unless_of(model::MemberId member) {
  raft::PromiseFile file(files_, options_.state_directory / kPromisesFile);
  SWARM_ASSIGN_OR_RETURN(const std::optional<raft::Promises> promises, file.read());
  const bool is_ours = promises && promises->member.value() == member.value();
  return is_ours ? absl::OkStatus() : remove_raft_state();
}

Status Node::promote(NodeRecord& record) {
  const Status joined = join_group(record);
  if (!joined.ok()) {
    // Still a worker: the next message of the dispatcher tries again.
    stop_server();
    stop_manager();
    record.role = model::Role::worker;
    {
      const std::scoped_lock lock(mutex_);
      record_.role = model::Role::worker;
    }
    if (absl::IsFailedPrecondition(joined)) {
      // Refused: the swarm wants it as a worker again.
      renew_certificate(model::Role::worker).IgnoreError();
    }
  }
  return joined;
}

}  // namespace swarm::manager
