#include "security/tls/certificate_authority.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "security/tls/names.h"
#include "security/tls/openssl.h"

namespace swarm::security {

namespace {

using openssl::CertificatePtr;
using openssl::KeyPtr;
using openssl::RequestPtr;

std::time_t to_time(WallTime time) {
  return static_cast<std::time_t>(
      std::chrono::duration_cast<seconds>(time.time_since_epoch()).count());
}

bool add_name(X509_NAME* name, int nid, std::string_view text) {
  return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, openssl::Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// 127 random bits: positive, and never the same twice.
bool set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) {
    return false;
  }
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);
  const std::unique_ptr<BIGNUM, openssl::Deleter<BN_free>> number(
      BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// What every certificate has: version 3, a serial number, dates, a public key.
bool fill(X509* certificate, EVP_PKEY* key, WallTime now, Duration validity) {
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_random_serial(certificate) &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), to_time(now - kBackdate)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), to_time(now + validity)) != nullptr &&
         X509_set_pubkey(certificate, key) == 1;
}

bool is_p256(EVP_PKEY* key) {
  char group[64] = {};
  size_t size = 0;
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

bool describe_leaf(X509* leaf, X509* root, const PeerIdentity& identity) {
  const std::string role = role_name(identity.role);
  X509_NAME* subject = X509_get_subject_name(leaf);
  return add_name(subject, NID_organizationName, identity.swarm.value()) &&
         add_name(subject, NID_organizationalUnitName, role) &&
         add_name(subject, NID_commonName, identity.node.value()) &&
         X509_set_issuer_name(leaf, X509_get_subject_name(root)) == 1 &&
         add_extension(leaf, root, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(leaf, root, NID_key_usage, "critical,digitalSignature") &&
         add_extension(leaf, root, NID_ext_key_usage, "serverAuth,clientAuth") &&
         add_extension(leaf, root, NID_authority_key_identifier, "keyid") &&
         add_extension(leaf, root, NID_subject_alt_name,
                       "DNS:" + identity.node.value() + ",DNS:" + role + ",DNS:" + kNodeName);
}

// The id goes into a comma-separated list: it must not be able to add names to it.
bool is_plain(const model::NodeId& node) {
  for (const char c : node.value()) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
      return false;
    }
  }
  return !node.is_empty() && node.value().size() <= 63;
}

}  // namespace

Result<RootCertificate> make_root(const model::SwarmId& swarm, WallTime now) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr root(X509_new());
  if (key == nullptr || root == nullptr || !fill(root.get(), key.get(), now, kRootValidity)) {
    return openssl::last_error("making the root certificate");
  }
  X509_NAME* subject = X509_get_subject_name(root.get());
  const bool is_done =
      add_name(subject, NID_organizationName, swarm.value()) &&
      add_name(subject, NID_commonName, "swarm-ca") &&
      X509_set_issuer_name(root.get(), subject) == 1 &&
      add_extension(root.get(), root.get(), NID_basic_constraints, "critical,CA:TRUE") &&
      add_extension(root.get(), root.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(root.get(), root.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(root.get(), key.get(), EVP_sha256()) > 0;
  if (!is_done) {
    return openssl::last_error("making the root certificate");
  }
  RootCertificate made;
  SWARM_ASSIGN_OR_RETURN(made.certificate, openssl::write_certificate(root.get()));
  SWARM_ASSIGN_OR_RETURN(made.key, openssl::write_key(key.get()));
  return made;
}

Result<std::string> make_key() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) {
    return openssl::last_error("making a private key");
  }
  return openssl::write_key(key.get());
}

Result<std::string> make_request(std::string_view key_pem) {
  SWARM_ASSIGN_OR_RETURN(const KeyPtr key, openssl::read_key(key_pem));
  const RequestPtr request(X509_REQ_new());
  if (request == nullptr || X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return openssl::last_error("making a certificate request");
  }
  return openssl::write_request(request.get());
}

Result<std::string> sign(std::string_view request_pem, const RootCertificate& root,
                         const PeerIdentity& identity, WallTime now, Duration validity) {
  if (!is_plain(identity.node)) {
    return absl::InvalidArgumentError("'" + identity.node.value() + "' is not a node id");
  }
  SWARM_ASSIGN_OR_RETURN(const RequestPtr request, openssl::read_request(request_pem));
  SWARM_ASSIGN_OR_RETURN(const CertificatePtr issuer, openssl::read_certificate(root.certificate));
  SWARM_ASSIGN_OR_RETURN(const KeyPtr issuer_key, openssl::read_key(root.key));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || !is_p256(key)) {
    return absl::InvalidArgumentError("the certificate request does not hold an ECDSA P-256 key");
  }
  if (X509_REQ_verify(request.get(), key) != 1) {
    return absl::InvalidArgumentError(
        "the certificate request was not signed with the key it holds");
  }
  const CertificatePtr leaf(X509_new());
  if (leaf == nullptr || !fill(leaf.get(), key, now, validity) ||
      !describe_leaf(leaf.get(), issuer.get(), identity) ||
      X509_sign(leaf.get(), issuer_key.get(), EVP_sha256()) <= 0) {
    return openssl::last_error("signing a certificate");
  }
  SWARM_ASSIGN_OR_RETURN(const std::string pem, openssl::write_certificate(leaf.get()));
  return pem + root.certificate;
}

}  // namespace swarm::security
