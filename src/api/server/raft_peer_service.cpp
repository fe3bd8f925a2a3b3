#include "api/server/leader_call.h"
#include "api/server/service_factories.h"
#include "proto/raft_peer.grpc.pb.h"

namespace swarm::api {

namespace {

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
