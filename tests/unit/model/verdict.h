#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/result.h"

namespace swarm::model {

// INVALID_ARGUMENT with all of these words in its sentence.
inline testing::AssertionResult is_refused(const Status& status,
                                           std::initializer_list<std::string> words) {
  const std::string sentence(status.message());
  bool is_right = absl::IsInvalidArgument(status);
  for (const std::string& word : words) {
    is_right = is_right && sentence.find(word) != std::string::npos;
  }
  return is_right ? testing::AssertionSuccess()
                  : testing::AssertionFailure() << "saw: " << status.ToString();
}

}  // namespace swarm::model
