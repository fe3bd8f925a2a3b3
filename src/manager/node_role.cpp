// How a node changes its role and renews its certificate: blocking sequences of Node.

#include <algorithm>
#include <future>
#include <memory>
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
// Nothing works before: the first manager that can be reached is to be found soon.
constexpr Duration kExpiredRetry = seconds(5);

}  // namespace

// ---- certificate ----

namespace {

using Issued = Result<api::Gateway::IssuedCertificate>;

bool has_expired(const security::NodeCredentials& credentials, WallTime now) {
  const Result<security::Validity> validity = security::validity_of(credentials.certificate);
  return validity.ok() && validity->not_after < now;
}

// The answer of this node's own manager, with no connection between.
template <class Ask>
Issued await_own_manager(Ask ask) {
  auto answer = std::make_shared<std::promise<Issued>>();
  std::future<Issued> future = answer->get_future();
  ask([answer](Issued issued) { answer->set_value(std::move(issued)); });
  if (future.wait_for(kRenewalTimeout) != std::future_status::ready) {
    return absl::UnavailableError("this manager did not sign in time");
  }
  return future.get();
}

// From a manager that is reached over the network. A certificate that has expired proves nothing to
// TLS: then its key has to.
Issued ask_managers(const std::vector<std::string>& managers, const security::NodeCredentials& old,
                    const std::string& request, bool is_expired) {
  return ask_any<Issued>(managers, [&](const std::string& address) {
    return is_expired ? api::renew_expired_certificate(address, old, request, kRenewalTimeout)
                      : api::renew_certificate(address, old, request, kRenewalTimeout);
  });
}

// `own`: null on a worker. A leader asks itself, because with a certificate that has expired it
// could not even connect; another manager does so last, when no leader is found.
Issued ask_for_certificate(ManagerGateway* own, const NodeRecord& self,
                           const security::NodeCredentials& old, const std::string& request,
                           bool is_expired) {
  if (own != nullptr && own->leader().is_self) {
    return await_own_manager(
        [&](auto done) { own->renew_certificate(self.node, request, std::move(done)); });
  }
  Issued asked = ask_managers(self.managers, old, request, is_expired);
  if (own == nullptr || !is_expired || !is_unavailable(asked)) {
    return asked;
  }
  log::info("expired certificate to be renewed without a leader",
            {{"reason", asked.status().message()}});
  return await_own_manager(
      [&](auto done) { own->renew_without_leader(old.certificate, request, std::move(done)); });
}

}  // namespace

Status Node::renew_certificate(model::Role role) {
  const auto old = credentials();
  const bool is_expired = has_expired(*old, lifecycle_.wall_now());
  security::NodeCredentials renewed;
  renewed.ca_certificate = old->ca_certificate;
  renewed.key = old->key;
  if (!is_expired) {
    SWARM_ASSIGN_OR_RETURN(renewed.key, security::make_key());
  }
  SWARM_ASSIGN_OR_RETURN(const std::string request, security::make_request(renewed.key));
  NodeRecord changed = record();
  const std::shared_ptr<ManagerGateway> own = manager_ != nullptr ? manager_->gateway() : nullptr;
  SWARM_ASSIGN_OR_RETURN(const api::Gateway::IssuedCertificate issued,
                         ask_for_certificate(own.get(), changed, *old, request, is_expired));
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
    static_cast<void>(renewal_faults_.recovered());
    log::info("certificate renewed", {{"valid_until", format_time(validity->not_after)}});
    return;  // `adopt` has looked ahead
  }
  const bool is_expired = has_expired(*credentials(), lifecycle_.wall_now());
  log_renewal_failure(renewed, is_expired);
  const Duration wait = validity.ok() ? security::renewal_retry(*validity) : kMaxRenewalWait;
  renewal_.set_after(is_expired ? std::min(wait, kExpiredRetry) : wait, [this] { renew_by_age(); });
}

void Node::log_renewal_failure(const Status& failure, bool is_expired) {
  const std::string reason(failure.message());
  const uint64_t times = renewal_faults_.failed(reason, lifecycle_.now());
  if (times == 0) {
    return;
  }
  if (!is_expired) {
    log::warning("certificate not renewed yet", {{"error", reason}, {"times", times}});
    return;
  }
  log::error("certificate has expired",
             {{"error", reason},
              {"times", times},
              {"cure",
               "it is renewed as soon as a manager allows it; else run 'swarmctl swarm leave "
               "--force' here and join again"}});
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
