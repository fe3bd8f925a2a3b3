#include "security/renewal.h"

#include <algorithm>

namespace swarm::security {

namespace {

constexpr double kEarliest = 0.5;
constexpr double kLatest = 0.8;
constexpr int kRetryFraction = 40;
constexpr Duration kMinRetry = milliseconds(500);
constexpr Duration kMaxRetry = minutes(10);

Duration lifetime(const Validity& validity) {
  return std::max(Duration{0}, validity.not_after - (validity.not_before + kBackdate));
}

}  // namespace

WallTime renewal_time(const Validity& validity, double draw) {
  const double share = kEarliest + draw * (kLatest - kEarliest);
  const auto age = std::chrono::duration_cast<Duration>(lifetime(validity) * share);
  return validity.not_before + kBackdate + age;
}

Duration renewal_retry(const Validity& validity) {
  return std::clamp(lifetime(validity) / kRetryFraction, kMinRetry, kMaxRetry);
}

}  // namespace swarm::security
