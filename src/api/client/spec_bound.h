#pragma once

#include <string>

#include "base/result.h"
#include "model/validate.h"
#include "proto/objects.pb.h"

namespace swarm::api {

// Also asked by the client before it sends: gRPC refuses a message over its own bound with a text
// that tells nobody what to do.
inline Status check_spec_size(const v1::ServiceSpec& spec) {
  const size_t size = spec.ByteSizeLong();
  if (size <= model::kMaxSpecBytes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("the service spec has " + std::to_string(size) +
                                    " bytes; at most " + std::to_string(model::kMaxSpecBytes) +
                                    " are allowed: keep large data in the image or a volume");
}

}  // namespace swarm::api
