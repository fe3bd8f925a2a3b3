#include "security/tls/aes_gcm.h"

#include <gtest/gtest.h>

#include <set>

#include "security/tls/random_secret.h"

namespace swarm::security {
namespace {

TEST(AesGcm, OpensWhatItSealed) {
  const AesGcm cipher(random_bytes(AesGcm::kKeyBytes));
  for (const std::string& plain :
       {std::string(), std::string("x"), std::string("a\0b", 3), std::string(1 << 20, 'z')}) {
    const std::string sealed = cipher.seal(plain);
    EXPECT_EQ(sealed.size(), plain.size() + AesGcm::kOverheadBytes);
    const Result<std::string> opened = cipher.open(sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, plain);
  }
}

TEST(AesGcm, SealsTheSameTextDifferentlyEachTime) {
  const AesGcm cipher(random_bytes(AesGcm::kKeyBytes));
  std::set<std::string> sealed;
  for (int i = 0; i < 100; ++i) {
    sealed.insert(cipher.seal("the same"));
  }
  EXPECT_EQ(sealed.size(), 100U);
}

TEST(AesGcm, UsesNoNonceTwiceAndAnotherOneAfterEachStart) {
  const std::string key = random_bytes(AesGcm::kKeyBytes);
  std::set<std::string> nonces;
  for (int start = 0; start < 10; ++start) {
    const AesGcm cipher(key);
    for (int i = 0; i < 1000; ++i) {
      nonces.insert(cipher.seal("text").substr(1, 12));
    }
  }
  EXPECT_EQ(nonces.size(), 10'000U);
}

TEST(AesGcm, RefusesEveryChangedBit) {
  const AesGcm cipher(random_bytes(AesGcm::kKeyBytes));
  const std::string sealed = cipher.seal("entry 42");
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(cipher.open(changed).status().code(), absl::StatusCode::kDataLoss) << "bit " << bit;
  }
}

TEST(AesGcm, RefusesEveryTruncationAndAnotherKey) {
  const AesGcm cipher(random_bytes(AesGcm::kKeyBytes));
  const AesGcm other(random_bytes(AesGcm::kKeyBytes));
  const std::string sealed = cipher.seal("entry 42");
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(cipher.open(sealed.substr(0, size)).status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(other.open(sealed).status().code(), absl::StatusCode::kDataLoss);
}

TEST(AesGcmDeathTest, AShortKeyEndsTheProcess) {
  EXPECT_DEATH(AesGcm(std::string(16, 'k')), "16 bytes instead of 32");
}

}  // namespace
}  // namespace swarm::security
