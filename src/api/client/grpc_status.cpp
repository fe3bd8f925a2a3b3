#include "api/client/grpc_status.h"

#include <string>

#include "api/client/limits.h"

namespace swarm::api {

grpc::Status to_grpc(const Status& status) {
  if (status.ok()) {
    return grpc::Status::OK;
  }
  std::string message(status.message());
  if (message.size() > kMaxErrorBytes) {
    message.resize(kMaxErrorBytes);
    message += " ...";
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.raw_code()), message);
}

Status from_grpc(const grpc::Status& status) {
  return Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// gRPC tells this in its text only; a test of this module fails if that changes.
bool is_not_connected(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         status.error_message().find("failed to connect to all addresses") != std::string::npos;
}

}  // namespace swarm::api
