#pragma once

#include <string>

#include "api/gateway.h"
#include "base/result.h"
#include "base/time.h"
#include "security/identity.h"

// The calls by which a node gets into a swarm and out of it, to any manager at `address`; what only
// the leader can do is passed on to it. Blocking, at most `timeout`: not on a loop.
//
// UNAVAILABLE when no manager answers there; PERMISSION_DENIED for a secret that is not valid, and
// for a node that was removed.
namespace swarm::api {

// For a node without a certificate. `root` is the one security::fetch_root has checked against the
// token: the secret is sent only to a manager whose certificate it has signed.
Result<Gateway::IssuedCertificate> issue_certificate(
    const std::string& address, const std::string& root, const std::string& token_secret,
    const std::string& certificate_request, model::Availability availability, Duration timeout);

// A new certificate for the node that `credentials` are of, for the role it should have now.
Result<Gateway::IssuedCertificate> renew_certificate(const std::string& address,
                                                     const security::NodeCredentials& credentials,
                                                     const std::string& certificate_request,
                                                     Duration timeout);

// For a node whose certificate has expired: `request` is signed with its key, and only what proves
// that the manager is one of the swarm is taken from `credentials` for the connection.
Result<Gateway::IssuedCertificate> renew_expired_certificate(
    const std::string& address, const security::NodeCredentials& credentials,
    const std::string& certificate_request, Duration timeout);

// The node becomes a member of the Raft group, reached at `own_address`.
Result<model::MemberId> join_raft(const std::string& address,
                                  const security::NodeCredentials& credentials,
                                  const std::string& own_address, Duration timeout);

Status leave_raft(const std::string& address, const security::NodeCredentials& credentials,
                  Duration timeout);

}  // namespace swarm::api
