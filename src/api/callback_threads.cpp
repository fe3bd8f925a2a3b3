#include "api/callback_threads.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

namespace swarm::api {

void keep_callback_threads() {
  // A server without an address. Never destroyed, on purpose.
  static grpc::Server* const keeper = [] {
    static auto* const service = new grpc::CallbackGenericService();
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(service);
    return builder.BuildAndStart().release();
  }();
  (void)keeper;
}

}  // namespace swarm::api
