#include "api/server/caller.h"
#include "api/server/server_core.h"
#include "api/server/service_factories.h"
#include "api/server/unary_call.h"
#include "proto/local_node.grpc.pb.h"
#include "wire/enum_codec.h"

namespace swarm::api {

namespace {

v1::NodeInfoReply to_reply(const LocalNode::Info& info) {
  v1::NodeInfoReply out;
  out.set_version(info.version);
  out.set_is_member(info.is_member);
  out.set_node(info.node.value());
  out.set_swarm(info.swarm.value());
  out.set_role(wire::encode(info.role));
  out.set_is_leader(info.is_leader);
  out.set_leader_address(info.leader_address);
  out.set_advertise_address(info.advertise_address);
  out.set_runtime(info.runtime);
  out.set_hostname(info.hostname);
  out.set_manager_refusal(info.manager_refusal);
  out.set_notice(info.notice);
  out.set_membership_fault(info.membership_fault);
  return out;
}

v1::NodeInitReply to_reply(const LocalNode::Initialized& made) {
  v1::NodeInitReply out;
  out.set_node(made.node.value());
  out.set_worker_token(made.worker_token);
  out.set_manager_token(made.manager_token);
  out.set_advertise_address(made.advertise_address);
  return out;
}

v1::NodeBackupReply to_reply(const LocalNode::BackedUp& made) {
  v1::NodeBackupReply out;
  out.set_swarm(made.swarm.value());
  out.set_position(made.position);
  out.set_bytes(made.bytes);
  return out;
}

// These run on this node, whatever it is in the swarm: nothing is passed on.
class LocalNodeService final : public v1::LocalNode::CallbackService {
 public:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  explicit LocalNodeService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  Reactor* Info(Context* context, const v1::NodeInfoRequest*,
                v1::NodeInfoReply* response) override {
    return serve(context, response, "/swarm.v1.LocalNode/Info",
                 [](LocalNode& node, auto call) { call->finish(to_reply(node.info())); });
  }

  Reactor* Init(Context* context, const v1::NodeInitRequest* request,
                v1::NodeInitReply* response) override {
    return serve(
        context, response, "/swarm.v1.LocalNode/Init", [request](LocalNode& node, auto call) {
          const Result<model::Availability> availability = wire::decode(request->availability());
          if (!availability.ok()) {
            call->finish(availability.status());
            return;
          }
          node.init({.listen_address = request->listen_address(),
                     .advertise_address = request->advertise_address(),
                     .force = request->force(),
                     .availability = *availability,
                     .force_new_cluster = request->force_new_cluster(),
                     .certificate_validity = Duration(request->certificate_validity_ns()),
                     .certificate_grace = Duration(request->certificate_grace_ns())},
                    [call](const Result<LocalNode::Initialized>& made) { finish(*call, made); });
        });
  }

  Reactor* Join(Context* context, const v1::NodeJoinRequest* request,
                v1::NodeJoinReply* response) override {
    return serve(
        context, response, "/swarm.v1.LocalNode/Join", [request](LocalNode& node, auto call) {
          const Result<model::Availability> availability = wire::decode(request->availability());
          if (!availability.ok()) {
            call->finish(availability.status());
            return;
          }
          node.join({.manager_address = request->manager_address(),
                     .token = request->token(),
                     .listen_address = request->listen_address(),
                     .advertise_address = request->advertise_address(),
                     .force = request->force(),
                     .availability = *availability},
                    [call](Result<model::Role> role) {
                      v1::NodeJoinReply out;
                      out.set_role(wire::encode(role.value_or(model::Role::worker)));
                      call->finish(role.ok() ? Result<v1::NodeJoinReply>(std::move(out))
                                             : Result<v1::NodeJoinReply>(role.status()));
                    });
        });
  }

  Reactor* Leave(Context* context, const v1::NodeLeaveRequest* request,
                 v1::NodeLeaveReply* response) override {
    return serve(context, response, "/swarm.v1.LocalNode/Leave",
                 [request](LocalNode& node, auto call) {
                   node.leave(request->force(), [call](Status status) {
                     call->finish(status.ok() ? Result<v1::NodeLeaveReply>(v1::NodeLeaveReply())
                                              : Result<v1::NodeLeaveReply>(std::move(status)));
                   });
                 });
  }

  Reactor* Backup(Context* context, const v1::NodeBackupRequest* request,
                  v1::NodeBackupReply* response) override {
    return serve(context, response, "/swarm.v1.LocalNode/Backup",
                 [request](LocalNode& node, auto call) {
                   node.backup(request->file(), [call](const Result<LocalNode::BackedUp>& made) {
                     call->finish(made.ok() ? Result<v1::NodeBackupReply>(to_reply(*made))
                                            : Result<v1::NodeBackupReply>(made.status()));
                   });
                 });
  }

  Reactor* Restore(Context* context, const v1::NodeRestoreRequest* request,
                   v1::NodeInitReply* response) override {
    return serve(
        context, response, "/swarm.v1.LocalNode/Restore", [request](LocalNode& node, auto call) {
          node.restore({.file = request->file(),
                        .listen_address = request->listen_address(),
                        .advertise_address = request->advertise_address(),
                        .force = request->force()},
                       [call](const Result<LocalNode::Initialized>& made) { finish(*call, made); });
        });
  }

 private:
  static void finish(UnaryCall<v1::NodeInitReply>& call,
                     const Result<LocalNode::Initialized>& made) {
    call.finish(made.ok() ? Result<v1::NodeInitReply>(to_reply(*made))
                          : Result<v1::NodeInitReply>(made.status()));
  }

  template <class Response, class Handle>
  Reactor* serve(Context* context, Response* response, const char* method, Handle handle) {
    auto* reactor = new UnaryReactor<Response>(context, response);
    const std::shared_ptr<UnaryCall<Response>> call = reactor->call();
    const Result<Caller> caller = admit(*core_, *context, method);
    const Status status = caller.ok()
                              ? core_->with_node([&](LocalNode& node) { handle(node, call); })
                              : caller.status();
    if (!status.ok()) {
      call->finish(status);
    }
    return reactor;
  }

  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_local_node_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<LocalNodeService>(std::move(core));
}

}  // namespace swarm::api
