#include "security/tls/credential_files.h"

#include <openssl/x509.h>

#include "security/tls/aes_gcm.h"
#include "security/tls/certificate.h"
#include "security/tls/openssl.h"
#include "security/tls/random_secret.h"

namespace swarm::security {

namespace {

constexpr char kCredentialsFile[] = "node.pem";
constexpr char kDataKeyFile[] = "data.key";
constexpr std::string_view kBegin = "-----BEGIN ";

Status damaged(const std::filesystem::path& path, std::string_view why) {
  return absl::DataLossError(path.string() + " is damaged (" + std::string(why) +
                             "): the node must leave the swarm and join again");
}

// The last PEM block begins here; npos when there is none.
size_t last_block(std::string_view pem) {
  return pem.rfind(kBegin);
}

Status check(const NodeCredentials& credentials, const std::filesystem::path& path) {
  const auto key = openssl::read_key(credentials.key);
  const auto leaf = openssl::read_certificate(credentials.certificate);
  const auto root = openssl::read_certificate(credentials.ca_certificate);
  if (!key.ok() || !leaf.ok() || !root.ok()) {
    return damaged(path, "it does not hold a key, a certificate and a root");
  }
  if (X509_check_private_key(leaf->get(), key->get()) != 1) {
    return damaged(path, "the key does not belong to the certificate");
  }
  if (X509_verify(leaf->get(), X509_get0_pubkey(root->get())) != 1) {
    return damaged(path, "the root did not sign the certificate");
  }
  return absl::OkStatus();
}

}  // namespace

// Order in the file: key, leaf and what follows it, root.
Status save_credentials(FileSystem& files, const std::filesystem::path& directory,
                        const NodeCredentials& credentials) {
  SWARM_RETURN_IF_ERROR(files.make_directories(directory));
  return replace_file(files, directory / kCredentialsFile,
                      credentials.key + credentials.certificate + credentials.ca_certificate);
}

Result<NodeCredentials> load_credentials(FileSystem& files,
                                         const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kCredentialsFile;
  SWARM_ASSIGN_OR_RETURN(const std::string text, read_file(files, path, openssl::kMaxPemBytes));
  const size_t leaf = text.find(kBegin, 1);
  const size_t root = last_block(text);
  if (leaf == std::string::npos || root <= leaf) {
    return damaged(path, "it does not hold a key, a certificate and a root");
  }
  NodeCredentials credentials{.ca_certificate = text.substr(root),
                              .certificate = text.substr(leaf, root - leaf),
                              .key = text.substr(0, leaf)};
  SWARM_RETURN_IF_ERROR(check(credentials, path));
  return credentials;
}

Result<std::string> load_data_key(FileSystem& files, const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kDataKeyFile;
  Result<std::string> key = read_file(files, path, AesGcm::kKeyBytes);
  // No file at all, or one that is far too long.
  if (absl::IsFailedPrecondition(key.status()) || absl::IsResourceExhausted(key.status())) {
    return damaged(path, std::string(key.status().message()));
  }
  SWARM_RETURN_IF_ERROR(key.status());
  if (key->size() != AesGcm::kKeyBytes) {
    return damaged(path, "it has " + std::to_string(key->size()) + " bytes instead of 32");
  }
  return key;
}

Result<std::string> load_or_make_data_key(FileSystem& files,
                                          const std::filesystem::path& directory) {
  Result<std::string> key = load_data_key(files, directory);
  if (!absl::IsNotFound(key.status())) {
    return key;
  }
  SWARM_RETURN_IF_ERROR(files.make_directories(directory));
  std::string made = random_bytes(AesGcm::kKeyBytes);
  SWARM_RETURN_IF_ERROR(replace_file(files, directory / kDataKeyFile, made));
  return made;
}

}  // namespace swarm::security
