#include "security/tls/credential_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "platform/file_system.h"
#include "security/tls/aes_gcm.h"
#include "security/tls/certificate_authority.h"

namespace swarm::security {
namespace {

using ::testing::HasSubstr;

const WallTime kNow(seconds(1'800'000'000));

NodeCredentials make_credentials(const std::string& node) {
  const auto root = make_root(model::SwarmId("swarm1"), kNow);
  const auto key = make_key();
  const auto request = make_request(*key);
  const PeerIdentity identity{.node = model::NodeId(node), .swarm = model::SwarmId("swarm1")};
  const auto certificate = sign(*request, *root, identity, kNow);
  return {.ca_certificate = root->certificate, .certificate = *certificate, .key = *key};
}

class CredentialFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    Random random = Random::from_system();
    directory_ = std::filesystem::path(::testing::TempDir()) / ("swarm-" + random_id(random));
  }
  void TearDown() override { ASSERT_TRUE(platform::remove_tree(directory_).ok()); }

  void expect_private(const std::filesystem::path& path) {
    const auto mode = std::filesystem::status(path).permissions();
    EXPECT_EQ(mode & (std::filesystem::perms::group_all | std::filesystem::perms::others_all),
              std::filesystem::perms::none)
        << path;
  }

  std::unique_ptr<FileSystem> files_ = platform::make_file_system();
  std::filesystem::path directory_;
};

TEST_F(CredentialFiles, ComeBackAsTheyWereAndArePrivate) {
  const NodeCredentials saved = make_credentials("n1");
  ASSERT_TRUE(save_credentials(*files_, directory_, saved).ok());
  const auto loaded = load_credentials(*files_, directory_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->key, saved.key);
  EXPECT_EQ(loaded->certificate, saved.certificate);
  EXPECT_EQ(loaded->ca_certificate, saved.ca_certificate);
  expect_private(directory_ / "node.pem");
}

TEST_F(CredentialFiles, NewOnesReplaceTheOld) {
  ASSERT_TRUE(save_credentials(*files_, directory_, make_credentials("n1")).ok());
  const NodeCredentials renewed = make_credentials("n1");
  ASSERT_TRUE(save_credentials(*files_, directory_, renewed).ok());
  const auto loaded = load_credentials(*files_, directory_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->key, renewed.key);
}

TEST_F(CredentialFiles, ANodeWithoutCredentialsIsToldSo) {
  EXPECT_EQ(load_credentials(*files_, directory_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CredentialFiles, AKeyOfAnotherCertificateIsDamage) {
  NodeCredentials mixed = make_credentials("n1");
  mixed.key = make_credentials("n1").key;
  ASSERT_TRUE(save_credentials(*files_, directory_, mixed).ok());
  const auto loaded = load_credentials(*files_, directory_);
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(loaded.status().message(), HasSubstr("does not belong"));
}

TEST_F(CredentialFiles, ARootOfAnotherSwarmIsDamage) {
  NodeCredentials mixed = make_credentials("n1");
  mixed.ca_certificate = make_credentials("n1").ca_certificate;
  ASSERT_TRUE(save_credentials(*files_, directory_, mixed).ok());
  EXPECT_EQ(load_credentials(*files_, directory_).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(CredentialFiles, GarbageIsDamage) {
  ASSERT_TRUE(files_->make_directories(directory_).ok());
  for (const char* text : {"", "garbage", "-----BEGIN ", "-----BEGIN -----BEGIN -----BEGIN "}) {
    ASSERT_TRUE(replace_file(*files_, directory_ / "node.pem", text).ok());
    EXPECT_EQ(load_credentials(*files_, directory_).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(CredentialFiles, TheDataKeyIsMadeOnceAndPrivate) {
  const auto made = load_or_make_data_key(*files_, directory_);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->size(), AesGcm::kKeyBytes);
  expect_private(directory_ / "data.key");
  const auto loaded = load_or_make_data_key(*files_, directory_);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(*loaded, *made);
}

TEST_F(CredentialFiles, ACutDataKeyIsNeverReplaced) {
  ASSERT_TRUE(files_->make_directories(directory_).ok());
  ASSERT_TRUE(replace_file(*files_, directory_ / "data.key", "short").ok());
  EXPECT_EQ(load_or_make_data_key(*files_, directory_).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(CredentialFiles, WhatCannotBeADataKeyIsDamage) {
  ASSERT_TRUE(files_->make_directories(directory_ / "data.key").ok());
  const Status folder = load_or_make_data_key(*files_, directory_).status();
  EXPECT_TRUE(absl::IsDataLoss(folder)) << folder;
  ASSERT_TRUE(platform::remove_tree(directory_ / "data.key").ok());
  ASSERT_TRUE(replace_file(*files_, directory_ / "data.key", std::string(100, 'x')).ok());
  const Status long_one = load_or_make_data_key(*files_, directory_).status();
  EXPECT_TRUE(absl::IsDataLoss(long_one)) << long_one;
}

}  // namespace
}  // namespace swarm::security
