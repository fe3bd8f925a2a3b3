#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>

#include "api/client/limits.h"
#include "api/gateway.h"
#include "api/server/server_core.h"
#include "api/write_queue.h"
#include "dispatcher/session_sink.h"
#include "proto/objects.pb.h"

namespace swarm::api {

// One agent's session between gRPC, which calls on its own threads and frees the stream when it
// likes, and the dispatcher, which sends from the control loop. Shared by the two: whoever comes
// when the stream is over does nothing.
class AgentLink final : public grpc::ServerBidiReactor<v1::AgentUp, v1::AgentDown>,
                        public ClosableStream {
 public:
  // For gRPC to drive; lives until OnDone and until nobody else holds it.
  static AgentLink* open(std::shared_ptr<ServerCore> core, grpc::CallbackServerContext* context);

  AgentLink(std::shared_ptr<ServerCore> core, grpc::CallbackServerContext* context);

  // What the dispatcher sends goes out in order; `close` ends the session after it.
  void send(model::AgentDownMessage message);
  void close(Status reason) override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void start();
  // May come at any time, also after OnDone.
  void opened(const Gateway& gateway, Result<std::unique_ptr<Gateway::AgentSession>> session);
  void redirect(const Gateway& gateway);
  bool receive();
  // With the mutex held.
  void write_next();
  void finish(const Status& status);

  const std::shared_ptr<ServerCore> core_;
  grpc::CallbackServerContext* const context_;
  std::shared_ptr<AgentLink> self_;
  model::NodeId node_;
  v1::AgentUp message_;

  std::mutex mutex_;
  bool is_finished_ = false;
  std::optional<Status> closing_;
  WriteQueue<v1::AgentDown> queue_{kMaxSessionQueueBytes};
  // The session before the gateway it belongs to: destroyed in reverse.
  std::shared_ptr<Gateway> gateway_;
  std::unique_ptr<Gateway::AgentSession> session_;
};

}  // namespace swarm::api
