#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "base/result.h"

namespace swarm::api {

// Codes are the same on both sides and sentences pass unchanged, but for those over kMaxErrorBytes.
grpc::Status to_grpc(const Status& status);
Status from_grpc(const grpc::Status& status);

// The call was never sent, because no connection could be made: it may be tried elsewhere.
bool is_not_connected(const grpc::Status& status);

}  // namespace swarm::api
