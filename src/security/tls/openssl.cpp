#include "security/tls/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <span>

#include "security/base36.h"
#include "security/join_token.h"

namespace swarm::security::openssl {

namespace {

// Encrypted input must be an error, not a question on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

template <class Handle, class Read>
Result<Handle> read_pem(std::string_view pem, std::string_view what, Read read) {
  if (pem.size() > kMaxPemBytes) {
    return absl::InvalidArgumentError(std::string(what) + " is longer than 64 KiB");
  }
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Handle handle(read(bio.get(), nullptr, no_passphrase, nullptr));
  if (handle == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("this is not " + std::string(what) + " in PEM form");
  }
  return handle;
}

template <class Write>
Result<std::string> write_pem(std::string_view what, Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || write(bio.get()) != 1) {
    return last_error(what);
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

Status last_error(std::string_view what) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return absl::InternalError(std::string(what) + ": " +
                             (reason == nullptr ? "unknown OpenSSL error" : reason));
}

Result<CertificatePtr> read_certificate(std::string_view pem) {
  return read_pem<CertificatePtr>(pem, "a certificate", PEM_read_bio_X509);
}

Result<RequestPtr> read_request(std::string_view pem) {
  return read_pem<RequestPtr>(pem, "a certificate request", PEM_read_bio_X509_REQ);
}

Result<KeyPtr> read_key(std::string_view pem) {
  return read_pem<KeyPtr>(pem, "a private key", PEM_read_bio_PrivateKey);
}

Result<std::string> write_certificate(X509* certificate) {
  return write_pem("writing a certificate",
                   [certificate](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

Result<std::string> write_request(X509_REQ* request) {
  return write_pem("writing a certificate request",
                   [request](BIO* bio) { return PEM_write_bio_X509_REQ(bio, request); });
}

Result<std::string> write_key(EVP_PKEY* key) {
  return write_pem("writing a private key", [key](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Result<std::string> digest_of(const X509* certificate) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), hash, &size) != 1) {
    return last_error("hashing a certificate");
  }
  return to_base36(std::span<const unsigned char>(hash, size), kDigestDigits);
}

}  // namespace swarm::security::openssl
