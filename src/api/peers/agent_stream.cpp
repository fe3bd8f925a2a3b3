#include "api/peers/agent_stream.h"

#include <grpcpp/channel.h>

#include <utility>

#include "api/client/grpc_status.h"
#include "api/client/limits.h"
#include "api/client/metadata.h"
#include "base/log.h"
#include "wire/agent_codec.h"

namespace swarm::api {

class AgentStream::Handle final : public agent::DispatcherStream {
 public:
  Handle(std::shared_ptr<AgentStream> stream, std::shared_ptr<Events> events)
      : stream_(std::move(stream)), events_(std::move(events)) {}
  ~Handle() override {
    if (stream_ != nullptr) {
      stream_->cancel();
    }
  }

  void send(model::AgentUpMessage message) override {
    if (stream_ != nullptr) {
      stream_->send(message);
    }
  }

 private:
  const std::shared_ptr<AgentStream> stream_;
  const std::shared_ptr<Events> events_;  // the only owner: what is on its way finds them gone
};

namespace {

std::string trailer_of(const grpc::ClientContext& context, const char* key) {
  const auto& trailer = context.GetServerTrailingMetadata();
  const auto found = trailer.find(key);
  return found == trailer.end() ? "" : std::string(found->second.data(), found->second.size());
}

}  // namespace

std::unique_ptr<agent::DispatcherStream> AgentStream::open(
    std::shared_ptr<LoopGate> gate, const std::shared_ptr<grpc::Channel>& channel, Events events) {
  auto shared_events = std::make_shared<Events>(std::move(events));
  auto stream = std::make_shared<AgentStream>(std::move(gate), channel, shared_events);
  stream->start(stream);
  return std::make_unique<Handle>(std::move(stream), std::move(shared_events));
}

std::unique_ptr<agent::DispatcherStream> AgentStream::failed(LoopGate& gate, Status status,
                                                             Events events) {
  auto shared_events = std::make_shared<Events>(std::move(events));
  gate.post([target = std::weak_ptr<Events>(shared_events), status = std::move(status)] {
    if (const auto live = target.lock()) {
      live->on_closed(status, "");
    }
  });
  return std::make_unique<Handle>(nullptr, std::move(shared_events));
}

AgentStream::AgentStream(std::shared_ptr<LoopGate> gate,
                         const std::shared_ptr<grpc::Channel>& channel,
                         std::weak_ptr<Events> events)
    : gate_(std::move(gate)),
      stub_(v1::Dispatcher::NewStub(channel)),
      events_(std::move(events)),
      queue_(kMaxSessionQueueBytes) {}

void AgentStream::start(std::shared_ptr<AgentStream> self) {
  self_ = std::move(self);
  stub_->async()->Session(&context_, this);
  // Always under way until the stream ends: it keeps gRPC from finishing the call between two
  // writes.
  StartRead(&message_);
  StartCall();
}

void AgentStream::send(const model::AgentUpMessage& message) {
  v1::AgentUp encoded;
  wire::encode(message, &encoded);
  const size_t bytes = encoded.ByteSizeLong();
  const std::lock_guard lock(mutex_);
  if (is_over_) {
    return;
  }
  if (!queue_.push(std::move(encoded), bytes)) {
    // The manager does not read: a new session reports everything again.
    context_.TryCancel();
    return;
  }
  write_next();
}

void AgentStream::write_next() {
  if (is_over_) {
    return;
  }
  if (const v1::AgentUp* next = queue_.begin_write()) {
    StartWrite(next);
  }
}

void AgentStream::cancel() {
  context_.TryCancel();
}

void AgentStream::OnReadDone(bool ok) {
  if (!ok) {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    return;
  }
  Result<model::AgentDownMessage> message = wire::decode(message_);
  if (message.ok()) {
    gate_->post([target = events_, message = *std::move(message)]() mutable {
      if (const auto live = target.lock()) {
        live->on_message(std::move(message));
      }
    });
  } else {
    log::warning("message of the leader not understood", {{"reason", message.status().message()}});
  }
  StartRead(&message_);
}

void AgentStream::OnWriteDone(bool ok) {
  const std::lock_guard lock(mutex_);
  queue_.written();
  is_over_ = is_over_ || !ok;
  write_next();
}

void AgentStream::OnDone(const grpc::Status& status) {
  // What stands in the trailer comes from a server with a manager's certificate, or from nobody.
  const bool is_removed =
      status.error_code() == grpc::PERMISSION_DENIED && trailer_of(context_, kRemovedKey) == "1";
  gate_->post([target = events_, status = from_grpc(status), is_removed,
               leader = trailer_of(context_, kLeaderKey)] {
    const auto live = target.lock();
    if (live != nullptr && is_removed && live->on_removed) {
      live->on_removed(status);
    } else if (live != nullptr) {
      live->on_closed(status, leader);
    }
  });
  const std::shared_ptr<AgentStream> last = std::move(self_);
}

}  // namespace swarm::api
