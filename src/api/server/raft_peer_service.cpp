#include "api/server/leader_call.h"
#include "api/server/service_factories.h"
#include "proto/raft_peer.grpc.pb.h"

namespace swarm::api {

namespace {

constexpr char kExchange[] = "/swarm.v1.RaftPeer/Exchange";

// The messages of one peer. Reads one batch after the other and hands it on; ends when the peer
// does, when this node is no manager any more, when the peer is removed, or when the server stops.
//
// Owned by gRPC until OnDone; shared because a stopping server closes it from another thread.
class PeerStream final : public grpc::ServerBidiReactor<v1::PeerMessages, v1::PeerMessages>,
                         public ClosableStream {
 public:
  static PeerStream* open(std::shared_ptr<ServerCore> core, grpc::CallbackServerContext* context) {
    const auto stream = std::make_shared<PeerStream>(std::move(core));
    stream->self_ = stream;
    stream->start(*context);
    return stream.get();
  }

  explicit PeerStream(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  void close(Status reason) override { finish(reason); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      finish(absl::OkStatus());
      return;
    }
    const std::shared_ptr<Gateway> gateway = core_->gateway();
    if (gateway == nullptr) {
      finish(core_->not_a_manager());
      return;
    }
    if (gateway->is_removed(peer_)) {
      finish(absl::PermissionDeniedError("node " + peer_.value() + " was removed from the swarm"));
      return;
    }
    const model::MemberId from(messages_.from());
    for (std::string& message : *messages_.mutable_messages()) {
      gateway->receive_raft(from, std::move(message));
    }
    read_next();
  }

  void OnCancel() override { finish(absl::CancelledError("the peer is gone")); }

  void OnDone() override {
    core_->remove_stream(this);
    const std::shared_ptr<PeerStream> last = std::move(self_);
  }

 private:
  void start(grpc::CallbackServerContext& context) {
    const Result<Caller> caller = admit(*core_, context, kExchange);
    if (!caller.ok()) {
      finish(caller.status());
      return;
    }
    peer_ = caller->node;
    if (!core_->add_stream(self_)) {
      finish(absl::UnavailableError("this manager stops"));
      return;
    }
    read_next();
  }

  void read_next() {
    const std::lock_guard lock(mutex_);
    if (!is_finished_) {
      StartRead(&messages_);
    }
  }

  void finish(const Status& status) {
    const std::lock_guard lock(mutex_);
    if (!is_finished_) {
      is_finished_ = true;
      Finish(to_grpc(status));
    }
  }

  const std::shared_ptr<ServerCore> core_;
  std::shared_ptr<PeerStream> self_;
  model::NodeId peer_;
  v1::PeerMessages messages_;
  std::mutex mutex_;  // against a finish from elsewhere between the check and the next operation
  bool is_finished_ = false;
};

void join(std::shared_ptr<Gateway> gateway, const Caller& caller,
          const v1::PeerJoinRequest& request,
          absl::AnyInvocable<void(Result<v1::PeerJoinReply>)> reply) {
  gateway->join_raft(caller.node, request.address(),
                     [reply = std::move(reply)](Result<Gateway::Joined> joined) mutable {
                       if (!joined.ok()) {
                         reply(joined.status());
                         return;
                       }
                       v1::PeerJoinReply out;
                       out.set_member(joined->member.value());
                       reply(std::move(out));
                     });
}

void leave(std::shared_ptr<Gateway> gateway, const Caller& caller, const v1::PeerLeaveRequest&,
           absl::AnyInvocable<void(Result<v1::PeerLeaveReply>)> reply) {
  gateway->leave_raft(caller.node, [reply = std::move(reply)](Status status) mutable {
    reply(status.ok() ? Result<v1::PeerLeaveReply>(v1::PeerLeaveReply())
                      : Result<v1::PeerLeaveReply>(std::move(status)));
  });
}

// Both may be repeated: a member that joins again keeps its id, and one that left stays away.
constexpr LeaderMethod<v1::PeerJoinRequest, v1::PeerJoinReply> kJoin{
    "/swarm.v1.RaftPeer/Join", Repeat::freely, join, kMembershipExtra};
constexpr LeaderMethod<v1::PeerLeaveRequest, v1::PeerLeaveReply> kLeave{
    "/swarm.v1.RaftPeer/Leave", Repeat::freely, leave, kMembershipExtra};

class RaftPeerService final : public v1::RaftPeer::CallbackService {
 public:
  explicit RaftPeerService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  grpc::ServerBidiReactor<v1::PeerMessages, v1::PeerMessages>* Exchange(
      grpc::CallbackServerContext* context) override {
    return PeerStream::open(core_, context);
  }
  grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext* context,
                                 const v1::PeerJoinRequest* request,
                                 v1::PeerJoinReply* response) override {
    return serve_by_leader(core_, kJoin, context, request, response);
  }
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context,
                                  const v1::PeerLeaveRequest* request,
                                  v1::PeerLeaveReply* response) override {
    return serve_by_leader(core_, kLeave, context, request, response);
  }

 private:
  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_raft_peer_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<RaftPeerService>(std::move(core));
}

}  // namespace swarm::api
