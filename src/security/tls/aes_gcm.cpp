#include "security/tls/aes_gcm.h"

#include <openssl/err.h>

#include <cstring>
#include <limits>

#include "base/check.h"
#include "security/tls/openssl.h"
#include "security/tls/random_secret.h"

namespace swarm::security {

namespace {

constexpr char kVersion = 1;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes(std::string& text, size_t offset) {
  return reinterpret_cast<unsigned char*>(text.data()) + offset;
}

// Looked up once: doing so for each text takes longer than to encrypt it.
const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const found = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return found;
}

}  // namespace

AesGcm::AesGcm(std::string key) : key_(std::move(key)), first_nonce_(random_bytes(kNonceBytes)) {
  SWARM_CHECK(key_.size() == kKeyBytes,
              "a key of " + std::to_string(key_.size()) + " bytes instead of 32");
}

// The low eight bytes count.
std::string AesGcm::next_nonce() const {
  std::string nonce = first_nonce_;
  uint64_t count = 0;
  std::memcpy(&count, nonce.data(), sizeof(count));
  count += sealed_.fetch_add(1, std::memory_order_relaxed);
  std::memcpy(nonce.data(), &count, sizeof(count));
  return nonce;
}

std::string AesGcm::seal(std::string_view plain) const {
  SWARM_CHECK(plain.size() <= std::numeric_limits<int>::max() - kOverheadBytes,
              "a text of " + std::to_string(plain.size()) + " bytes is too long to seal");
  std::string sealed;
  sealed.reserve(plain.size() + kOverheadBytes);
  sealed += kVersion;
  sealed += next_nonce();
  const size_t body = sealed.size();
  sealed.resize(body + plain.size() + kTagBytes);

  const openssl::CipherContextPtr context(EVP_CIPHER_CTX_new());
  int written = 0;
  int last = 0;
  const bool is_sealed =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), cipher(), nullptr, bytes(key_), bytes(sealed, 1)) == 1 &&
      EVP_EncryptUpdate(context.get(), bytes(sealed, body), &written, bytes(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes(sealed, body + plain.size()), &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                          bytes(sealed, body + plain.size())) == 1;
  SWARM_CHECK(is_sealed, std::string(openssl::last_error("AES-256-GCM").message()));
  return sealed;
}

Result<std::string> AesGcm::open(std::string_view sealed) const {
  if (sealed.size() < kOverheadBytes || sealed.size() > std::numeric_limits<int>::max() ||
      sealed.front() != kVersion) {
    return absl::DataLossError("this is not sealed text of ours");
  }
  const size_t size = sealed.size() - kOverheadBytes;
  const std::string_view nonce = sealed.substr(1, kNonceBytes);
  const std::string_view body = sealed.substr(1 + kNonceBytes, size);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plain(size, '\0');

  const openssl::CipherContextPtr context(EVP_CIPHER_CTX_new());
  unsigned char nothing[kTagBytes];
  int written = 0;
  int last = 0;
  const bool is_opened =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), cipher(), nullptr, bytes(key_), bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes(plain, 0), &written, bytes(body),
                        static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, bytes(tag, 0)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), nothing, &last) == 1;
  if (!is_opened) {
    ERR_clear_error();
    return absl::DataLossError("sealed text was made with another key, or is damaged");
  }
  return plain;
}

}  // namespace swarm::security
