#include "security/tls/certificate.h"

#include <openssl/asn1.h>

#include <ctime>

#include "security/tls/names.h"
#include "security/tls/openssl.h"

namespace swarm::security {

namespace {

// "" when the subject does not have exactly one of it.
std::string subject_field(const X509* certificate, int nid) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int position = X509_NAME_get_index_by_NID(subject, nid, -1);
  if (position < 0 || X509_NAME_get_index_by_NID(subject, nid, position) >= 0) {
    return "";
  }
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position));
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

// Via the difference to the epoch: ASN1_TIME_to_tm needs timegm, which is not portable.
Result<WallTime> to_wall_time(const ASN1_TIME* time) {
  const std::unique_ptr<ASN1_TIME, openssl::Deleter<ASN1_TIME_free>> epoch(
      ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int rest = 0;
  if (epoch == nullptr || ASN1_TIME_diff(&days, &rest, epoch.get(), time) != 1) {
    return openssl::last_error("reading the dates of a certificate");
  }
  return WallTime(hours(24) * days + seconds(rest));
}

}  // namespace

Result<PeerIdentity> openssl::identity_of(const X509* certificate) {
  const std::string unit = subject_field(certificate, NID_organizationalUnitName);
  PeerIdentity identity;
  identity.node = model::NodeId(subject_field(certificate, NID_commonName));
  identity.swarm = model::SwarmId(subject_field(certificate, NID_organizationName));
  if (unit == kManagerName) {
    identity.role = model::Role::manager;
  } else if (unit != kWorkerName) {
    return absl::InvalidArgumentError("the certificate names no role of a swarm, but '" + unit +
                                      "'");
  }
  if (identity.node.is_empty() || identity.swarm.is_empty()) {
    return absl::InvalidArgumentError("the certificate names no node and swarm");
  }
  return identity;
}

Result<PeerIdentity> identity_of(std::string_view pem) {
  SWARM_ASSIGN_OR_RETURN(const openssl::CertificatePtr certificate, openssl::read_certificate(pem));
  return openssl::identity_of(certificate.get());
}

Result<Validity> validity_of(std::string_view pem) {
  SWARM_ASSIGN_OR_RETURN(const openssl::CertificatePtr certificate, openssl::read_certificate(pem));
  Validity validity;
  SWARM_ASSIGN_OR_RETURN(validity.not_before, to_wall_time(X509_get0_notBefore(certificate.get())));
  SWARM_ASSIGN_OR_RETURN(validity.not_after, to_wall_time(X509_get0_notAfter(certificate.get())));
  return validity;
}

Result<std::string> digest_of(std::string_view root_pem) {
  SWARM_ASSIGN_OR_RETURN(const openssl::CertificatePtr certificate,
                         openssl::read_certificate(root_pem));
  return openssl::digest_of(certificate.get());
}

}  // namespace swarm::security
