#include "base/fault_counter.h"

#include <utility>

namespace swarm {

uint64_t FaultCounter::failed(const std::string& error, TimePoint now) {
  ++total_;
  const auto found = faults_.find(error);
  if (found == faults_.end()) {
    if (faults_.size() >= kMaxFaults) {
      faults_.clear();
    }
    faults_[error].told_at = now;
    return 1;
  }
  Fault& fault = found->second;
  ++fault.untold;
  if (now - fault.told_at < kFaultReminder) {
    return 0;
  }
  fault.told_at = now;
  return std::exchange(fault.untold, 0);
}

uint64_t FaultCounter::recovered() {
  faults_.clear();
  return std::exchange(total_, 0);
}

}  // namespace swarm
