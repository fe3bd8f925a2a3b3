#include "api/agent_client.h"

#include "api/callback_threads.h"
#include "api/channel.h"
#include "api/loop_gate.h"
#include "api/peers/agent_stream.h"

namespace swarm::api {

namespace {

class GrpcDispatcherClient final : public agent::DispatcherClient {
 public:
  GrpcDispatcherClient(EventLoop& loop, CredentialsSource credentials)
      : gate_(std::make_shared<LoopGate>(loop)), channels_(std::move(credentials)) {
    keep_callback_threads();
  }
  ~GrpcDispatcherClient() override { gate_->close(); }

  std::unique_ptr<agent::DispatcherStream> open(const std::string& manager_address,
                                                Events events) override {
    const auto channel = channels_.get(manager_address);
    if (!channel.ok()) {
      return AgentStream::failed(*gate_, channel.status(), std::move(events));
    }
    return AgentStream::open(gate_, *channel, std::move(events));
  }

 private:
  const std::shared_ptr<LoopGate> gate_;
  ChannelCache channels_;
};

}  // namespace

std::unique_ptr<agent::DispatcherClient> make_dispatcher_client(EventLoop& loop,
                                                                CredentialsSource credentials) {
  return std::make_unique<GrpcDispatcherClient>(loop, std::move(credentials));
}

}  // namespace swarm::api
