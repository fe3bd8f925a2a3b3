#include "base/random.h"

#include <bit>
#include <random>

#include "base/check.h"

namespace swarm {

namespace {

__extension__ using Uint128 = unsigned __int128;

// SplitMix64 (Steele et al.): spreads a seed over the state of xoshiro256**.
uint64_t split_mix(uint64_t& seed) {
  uint64_t z = (seed += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    word = split_mix(seed);
  }
}

Random Random::from_system() {
  std::random_device device;
  return Random((static_cast<uint64_t>(device()) << 32) | device());
}

// xoshiro256** (Blackman and Vigna).
uint64_t Random::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::below(uint64_t bound) {
  SWARM_CHECK(bound > 0, "a random number below 0 was asked for");
  // Lemire's multiply-and-shift; the bias of under bound / 2^64 does not matter here.
  return static_cast<uint64_t>((static_cast<Uint128>(next()) * bound) >> 64);
}

double Random::unit() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

Random Random::fork(std::string_view name) {
  // FNV-1a keeps forks of different names apart even when they are made in another order.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return Random(next() ^ hash);
}

std::string random_id(Random& random) {
  static constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string id(25, '0');
  for (char& c : id) {
    c = kDigits[random.below(kDigits.size())];
  }
  return id;
}

}  // namespace swarm
