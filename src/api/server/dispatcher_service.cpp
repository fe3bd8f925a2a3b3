#include "api/server/agent_link.h"
#include "api/server/service_factories.h"
#include "proto/dispatcher.grpc.pb.h"

namespace swarm::api {

namespace {

class DispatcherService final : public v1::Dispatcher::CallbackService {
 public:
  explicit DispatcherService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  grpc::ServerBidiReactor<v1::AgentUp, v1::AgentDown>* Session(
      grpc::CallbackServerContext* context) override {
    return AgentLink::open(core_, context);
  }

 private:
  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_dispatcher_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<DispatcherService>(std::move(core));
}

}  // namespace swarm::api
