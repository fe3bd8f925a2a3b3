#include "security/tls/expired_certificate.h"

#include <openssl/x509v3.h>

#include <string>

#include "base/units.h"
#include "security/tls/certificate.h"
#include "security/tls/openssl.h"

namespace swarm::security {

namespace {

// The dates are not part of this.
bool is_signed_by(X509* certificate, X509* root) {
  EVP_PKEY* const key = X509_get0_pubkey(root);
  return key != nullptr && X509_check_issued(root, certificate) == X509_V_OK &&
         X509_verify(certificate, key) == 1;
}

bool has_key_of(X509_REQ* request, X509* certificate) {
  EVP_PKEY* const asked = X509_REQ_get0_pubkey(request);
  EVP_PKEY* const held = X509_get0_pubkey(certificate);
  return asked != nullptr && held != nullptr && EVP_PKEY_eq(asked, held) == 1 &&
         X509_REQ_verify(request, asked) == 1;
}

}  // namespace

Result<PeerIdentity> identity_of_expired(std::string_view certificate_pem,
                                         std::string_view request_pem, std::string_view root_pem,
                                         WallTime now, Duration grace) {
  SWARM_ASSIGN_OR_RETURN(const openssl::CertificatePtr certificate,
                         openssl::read_certificate(certificate_pem));
  SWARM_ASSIGN_OR_RETURN(const openssl::RequestPtr request, openssl::read_request(request_pem));
  SWARM_ASSIGN_OR_RETURN(const openssl::CertificatePtr root, openssl::read_certificate(root_pem));
  if (!is_signed_by(certificate.get(), root.get())) {
    return absl::PermissionDeniedError("the certificate is not of this swarm");
  }
  if (!has_key_of(request.get(), certificate.get())) {
    return absl::PermissionDeniedError(
        "the certificate request was not signed with the key of the certificate");
  }
  SWARM_ASSIGN_OR_RETURN(PeerIdentity identity, openssl::identity_of(certificate.get()));
  SWARM_ASSIGN_OR_RETURN(const Validity validity, validity_of(certificate_pem));
  if (now > validity.not_after + grace) {
    return absl::PermissionDeniedError(
        "the certificate of node " + identity.node.value() + " expired at " +
        format_time(validity.not_after) + ", longer ago than the " + format_duration(grace) +
        " within which it may be renewed: run 'swarmctl swarm leave --force' on the node and let "
        "it join again");
  }
  return identity;
}

}  // namespace swarm::security
