#include "raft/replica/metrics.h"

#include <algorithm>
#include <utility>

namespace swarm::raft {

namespace {

constexpr Duration kHalfWindow = seconds(5);

}  // namespace

void LatencyWindow::add(TimePoint now, Duration took) {
  if (now - current_.begun >= kHalfWindow) {
    const bool is_recent = now - current_.begun < 2 * kHalfWindow;
    before_ = is_recent ? current_ : Half();
    current_ = Half();
    current_.begun = now;
  }
  ++current_.count;
  current_.sum += took;
  current_.max = std::max(current_.max, took);
  last_ = took;
}

LatencySummary LatencyWindow::summary(TimePoint now) const {
  LatencySummary summary;
  Duration sum{};
  for (const Half& half : {before_, current_}) {
    if (now - half.begun < 2 * kHalfWindow) {
      summary.count += half.count;
      summary.max = std::max(summary.max, half.max);
      sum += half.sum;
    }
  }
  summary.last = last_;
  summary.mean = summary.count == 0 ? Duration() : sum / static_cast<int64_t>(summary.count);
  return summary;
}

}  // namespace swarm::raft
