#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "security/identity.h"

// Ownership and errors of OpenSSL, for the .cpp files of this folder only.
namespace swarm::security::openssl {

template <auto kFree>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;

// The newest error of this thread's queue, which is emptied: "what: reason". INTERNAL.
Status last_error(std::string_view what);

// At most this much PEM is looked at: everything of ours is far smaller.
inline constexpr size_t kMaxPemBytes = 64 * 1024;

// INVALID_ARGUMENT when `pem` does not begin with a certificate (request, private key).
Result<CertificatePtr> read_certificate(std::string_view pem);
Result<RequestPtr> read_request(std::string_view pem);
Result<KeyPtr> read_key(std::string_view pem);

Result<std::string> write_certificate(X509* certificate);
Result<std::string> write_request(X509_REQ* request);
Result<std::string> write_key(EVP_PKEY* key);

// What a certificate says. INVALID_ARGUMENT when it is not one of a node of a swarm.
Result<PeerIdentity> identity_of(const X509* certificate);

// SHA-256 of the DER form, as 50 base-36 digits.
Result<std::string> digest_of(const X509* certificate);

}  // namespace swarm::security::openssl
