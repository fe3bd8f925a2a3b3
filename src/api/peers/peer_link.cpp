#include "api/peers/peer_link.h"

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "api/channel.h"
#include "api/client/deadline.h"
#include "api/client/grpc_status.h"
#include "api/client/limits.h"
#include "base/log.h"
#include "proto/raft_peer.grpc.pb.h"

namespace swarm::api {

// One stream, or one attempt at it. Keeps its link alive, and itself until gRPC is done with it.
//
// The read that is always under way gets nothing: its end tells that the stream is over, and until
// then gRPC does not finish the call, so that writes may start from outside of its callbacks.
class PeerStreamAttempt final : public grpc::ClientBidiReactor<v1::PeerMessages, v1::PeerMessages> {
 public:
  PeerStreamAttempt(std::shared_ptr<PeerLink> link, const std::shared_ptr<grpc::Channel>& channel)
      : link_(std::move(link)), stub_(v1::RaftPeer::NewStub(channel)) {}

  void start() {
    stub_->async()->Exchange(&context_, this);
    StartRead(&unused_);
    StartCall();
  }
  void cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (ok) {
      StartRead(&unused_);
    } else {
      link_->broken();
    }
  }
  void OnWriteDone(bool ok) override { link_->written(ok); }
  void OnDone(const grpc::Status& status) override {
    link_->ended(status);
    delete this;
  }

 private:
  const std::shared_ptr<PeerLink> link_;
  const std::unique_ptr<v1::RaftPeer::Stub> stub_;
  grpc::ClientContext context_;
  v1::PeerMessages unused_;
};

PeerLink::PeerLink(uint64_t self, std::string address, std::shared_ptr<ChannelCache> channels,
                   std::function<void()> on_refused)
    : self_(self),
      address_(std::move(address)),
      channels_(std::move(channels)),
      on_refused_(std::move(on_refused)) {}

PeerLink::~PeerLink() = default;

void PeerLink::open() {
  const std::lock_guard lock(mutex_);
  open_locked();
}

void PeerLink::open_locked() {
  if (is_closed_ || stream_ != nullptr) {
    return;
  }
  const auto channel = channels_->get(address_);
  if (!channel.ok()) {
    open_after(kMaxPeerRetry);
    return;
  }
  is_writing_ = false;
  has_worked_ = false;
  stream_ = new PeerStreamAttempt(shared_from_this(), *channel);
  stream_->start();
}

void PeerLink::send(std::string message) {
  const std::lock_guard lock(mutex_);
  const bool fits = waiting_bytes_ == 0 || waiting_bytes_ + message.size() <= kMaxPeerQueueBytes;
  if (is_closed_ || stream_ == nullptr || !fits) {
    return;
  }
  waiting_bytes_ += message.size();
  waiting_.push_back(std::move(message));
  write_next();
}

void PeerLink::write_next() {
  if (stream_ == nullptr || is_writing_ || waiting_.empty()) {
    return;
  }
  batch_.Clear();
  batch_.set_from(self_);
  size_t bytes = 0;
  do {
    bytes += waiting_.front().size();
    batch_.add_messages(std::move(waiting_.front()));
    waiting_.pop_front();
  } while (!waiting_.empty() && bytes + waiting_.front().size() <= kMaxPeerBatchBytes);
  waiting_bytes_ -= bytes;
  is_writing_ = true;
  stream_->StartWrite(&batch_);
}

void PeerLink::written(bool ok) {
  const std::lock_guard lock(mutex_);
  is_writing_ = false;
  if (!ok) {
    stream_ = nullptr;
    drop_waiting();
    return;
  }
  has_worked_ = true;
  last_problem_.clear();
  write_next();
}

void PeerLink::broken() {
  const std::lock_guard lock(mutex_);
  stream_ = nullptr;
  drop_waiting();
}

// What was meant for the old stream is stale by the time there is a new one.
void PeerLink::drop_waiting() {
  waiting_.clear();
  waiting_bytes_ = 0;
}

void PeerLink::ended(const grpc::Status& status) {
  bool is_closed = false;
  {
    const std::lock_guard lock(mutex_);
    is_closed = is_closed_;
    stream_ = nullptr;
    drop_waiting();
    if (!is_closed_ && last_problem_ != status.error_message()) {
      last_problem_ = status.error_message();
      // A node that is about to become a manager is called before it is one.
      const bool is_early = status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
      log::write(is_early ? log::Level::debug : log::Level::info, "stream to manager ended",
                 {{"peer", address_}, {"reason", last_problem_}});
    }
    open_after(next_delay(has_worked_));
  }
  if (!is_closed && is_refused(status)) {
    on_refused_();
  }
}

// A stream that worked is made again at once: if the process is gone, that is how it is noticed.
Duration PeerLink::next_delay(bool has_worked) {
  delay_ = has_worked ? Duration{} : std::clamp<Duration>(delay_ * 2, kMinPeerRetry, kMaxPeerRetry);
  return delay_;
}

void PeerLink::open_after(Duration delay) {
  if (is_closed_) {
    return;
  }
  alarm_ = std::make_unique<grpc::Alarm>();
  // The alarm keeps its function after it has run, and the link the alarm: the function must not
  // own the link any more then.
  alarm_->Set(deadline_after(delay), [owner = shared_from_this()](bool ok) mutable {
    const auto self = std::move(owner);
    if (ok) {
      self->open();
    }
  });
}

void PeerLink::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  drop_waiting();
  if (stream_ != nullptr) {
    stream_->cancel();
  }
  if (alarm_ != nullptr) {
    alarm_->Cancel();
  }
}

}  // namespace swarm::api
