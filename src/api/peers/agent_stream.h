#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>
#include <mutex>
#include <string>

#include "agent/dispatcher_client.h"
#include "api/loop_gate.h"
#include "api/write_queue.h"
#include "proto/dispatcher.grpc.pb.h"

namespace swarm::api {

// The two sides of one session's stream: the agent's loop, which holds the events and may drop them
// at any moment, and gRPC's threads. Shared by both.
class AgentStream final : public grpc::ClientBidiReactor<v1::AgentUp, v1::AgentDown> {
 public:
  using Events = agent::DispatcherClient::Events;

  // The loop's half. Destroying it ends the stream; no event comes afterwards.
  class Handle;

  // Started; `gate` leads to the loop of the agent.
  static std::unique_ptr<agent::DispatcherStream> open(
      std::shared_ptr<LoopGate> gate, const std::shared_ptr<grpc::Channel>& channel, Events events);
  // A stream that could not even be tried: `status` comes as its end.
  static std::unique_ptr<agent::DispatcherStream> failed(LoopGate& gate, Status status,
                                                         Events events);

  AgentStream(std::shared_ptr<LoopGate> gate, const std::shared_ptr<grpc::Channel>& channel,
              std::weak_ptr<Events> events);

  void send(const model::AgentUpMessage& message);
  void cancel();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void start(std::shared_ptr<AgentStream> self);
  void write_next();

  const std::shared_ptr<LoopGate> gate_;
  const std::unique_ptr<v1::Dispatcher::Stub> stub_;
  const std::weak_ptr<Events> events_;
  std::shared_ptr<AgentStream> self_;  // until OnDone
  grpc::ClientContext context_;
  v1::AgentDown message_;

  std::mutex mutex_;
  bool is_over_ = false;  // no write may be started any more
  WriteQueue<v1::AgentUp> queue_;
};

}  // namespace swarm::api
