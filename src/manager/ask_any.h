#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace swarm::manager {

// How long one manager may take for its answer when a node enters or leaves.
inline constexpr Duration kCallTimeout = seconds(10);

inline bool is_unavailable(const Status& status) {
  return absl::IsUnavailable(status);
}
template <class T>
bool is_unavailable(const Result<T>& result) {
  return absl::IsUnavailable(result.status());
}

// The answer of the first manager that can be reached.
template <class Answer, class Call>
Answer ask_any(const std::vector<std::string>& managers, Call call) {
  Answer answer = absl::UnavailableError("no manager of the swarm is known");
  for (const std::string& address : managers) {
    answer = call(address);
    if (!is_unavailable(answer)) {
      break;
    }
  }
  return answer;
}

}  // namespace swarm::manager
