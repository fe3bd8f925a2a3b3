#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Errors are values: `Status`, or `Result<T>` where there is something to return. Codes are those
// of gRPC, so that they cross the network unchanged. The message is one sentence for a person;
// where there is a cure it names it. Exceptions never cross a module boundary.
namespace swarm {

using Status = absl::Status;

template <class T>
using Result = absl::StatusOr<T>;

}  // namespace swarm

#define SWARM_CONCAT_INNER(a, b) a##b
#define SWARM_CONCAT(a, b) SWARM_CONCAT_INNER(a, b)

// Returns the status of `expr` from the calling function unless it is OK.
#define SWARM_RETURN_IF_ERROR(expr)                        \
  do {                                                     \
    if (::swarm::Status status_ = (expr); !status_.ok()) { \
      return status_;                                      \
    }                                                      \
  } while (false)

// Evaluates a Result; returns its status on error, otherwise assigns its value to `lhs`.
#define SWARM_ASSIGN_OR_RETURN(lhs, expr) \
  SWARM_ASSIGN_OR_RETURN_INNER(SWARM_CONCAT(result_, __LINE__), lhs, expr)
#define SWARM_ASSIGN_OR_RETURN_INNER(result, lhs, expr) \
  auto result = (expr);                                 \
  if (!result.ok()) {                                   \
    return std::move(result).status();                  \
  }                                                     \
  lhs = *std::move(result)
