#include "api/join_client.h"

#include "api/channel.h"
#include "api/client/blocking_call.h"
#include "base/units.h"
#include "proto/ca.grpc.pb.h"
#include "proto/raft_peer.grpc.pb.h"
#include "wire/enum_codec.h"

namespace swarm::api {

namespace {

Status explain(const CallOutcome& outcome, const std::string& address, Duration timeout) {
  if (outcome.is_answer) {
    return from_grpc(outcome.status);
  }
  if (outcome.status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::UnavailableError("the manager at " + address + " did not answer within " +
                                  format_duration(timeout));
  }
  return absl::UnavailableError("no manager of this swarm can be reached at " + address + " (" +
                                outcome.status.error_message() +
                                "): check the address, and that the manager runs");
}

Result<Gateway::IssuedCertificate> to_issued(const v1::CertificateReply& reply) {
  Gateway::IssuedCertificate issued;
  SWARM_ASSIGN_OR_RETURN(issued.role, wire::decode(reply.role()));
  issued.node = model::NodeId(reply.node());
  issued.swarm = model::SwarmId(reply.swarm());
  issued.certificate = reply.certificate();
  return issued;
}

}  // namespace

Result<Gateway::IssuedCertificate> issue_certificate(
    const std::string& address, const std::string& root, const std::string& token_secret,
    const std::string& certificate_request, model::Availability availability, Duration timeout) {
  const security::NodeCredentials nothing_but_trust{
      .ca_certificate = root, .certificate = "", .key = ""};
  const auto stub = v1::NodeCa::NewStub(make_tls_channel(address, nothing_but_trust));
  v1::IssueRequest request;
  request.set_token_secret(token_secret);
  request.set_certificate_request(certificate_request);
  request.set_availability(wire::encode(availability));
  v1::CertificateReply reply;
  const CallOutcome outcome =
      call_blocking(*stub, &v1::NodeCa::Stub::Issue, request, reply, timeout);
  if (!outcome.status.ok()) {
    return explain(outcome, address, timeout);
  }
  return to_issued(reply);
}

Result<Gateway::IssuedCertificate> renew_certificate(const std::string& address,
                                                     const security::NodeCredentials& credentials,
                                                     const std::string& certificate_request,
                                                     Duration timeout) {
  const auto stub = v1::NodeCa::NewStub(make_tls_channel(address, credentials));
  v1::RenewRequest request;
  request.set_certificate_request(certificate_request);
  v1::CertificateReply reply;
  const CallOutcome outcome =
      call_blocking(*stub, &v1::NodeCa::Stub::Renew, request, reply, timeout);
  if (!outcome.status.ok()) {
    return explain(outcome, address, timeout);
  }
  return to_issued(reply);
}

Result<Gateway::IssuedCertificate> renew_expired_certificate(
    const std::string& address, const security::NodeCredentials& credentials,
    const std::string& certificate_request, Duration timeout) {
  const security::NodeCredentials nothing_but_trust{
      .ca_certificate = credentials.ca_certificate, .certificate = "", .key = ""};
  const auto stub = v1::NodeCa::NewStub(make_tls_channel(address, nothing_but_trust));
  v1::RenewExpiredRequest request;
  request.set_certificate(credentials.certificate);
  request.set_certificate_request(certificate_request);
  v1::CertificateReply reply;
  const CallOutcome outcome =
      call_blocking(*stub, &v1::NodeCa::Stub::RenewExpired, request, reply, timeout);
  if (!outcome.status.ok()) {
    return explain(outcome, address, timeout);
  }
  return to_issued(reply);
}

Result<model::MemberId> join_raft(const std::string& address,
                                  const security::NodeCredentials& credentials,
                                  const std::string& own_address, Duration timeout) {
  const auto stub = v1::RaftPeer::NewStub(make_tls_channel(address, credentials));
  v1::PeerJoinRequest request;
  request.set_address(own_address);
  v1::PeerJoinReply reply;
  const CallOutcome outcome =
      call_blocking(*stub, &v1::RaftPeer::Stub::Join, request, reply, timeout);
  if (!outcome.status.ok()) {
    return explain(outcome, address, timeout);
  }
  return model::MemberId(reply.member());
}

Status leave_raft(const std::string& address, const security::NodeCredentials& credentials,
                  Duration timeout) {
  const auto stub = v1::RaftPeer::NewStub(make_tls_channel(address, credentials));
  v1::PeerLeaveReply reply;
  const CallOutcome outcome =
      call_blocking(*stub, &v1::RaftPeer::Stub::Leave, v1::PeerLeaveRequest(), reply, timeout);
  return outcome.status.ok() ? absl::OkStatus() : explain(outcome, address, timeout);
}

}  // namespace swarm::api
