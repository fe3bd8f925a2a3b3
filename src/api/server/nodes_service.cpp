#include <set>

#include "api/server/leader_call.h"
#include "api/server/service_factories.h"
#include "api/server/store_call.h"
#include "control/nodes.h"
#include "control/queries.h"
#include "proto/nodes.grpc.pb.h"
#include "wire/node_codec.h"
#include "wire/service_codec.h"

namespace swarm::api {

namespace {

using control::Context;
using model::NodeId;
using state::ChangeSet;
using state::View;

template <class Response>
using Reply = absl::AnyInvocable<void(Result<Response>)>;
using GatewayPtr = std::shared_ptr<Gateway>;

// "self" is the node that was asked first, wherever the leader is.
std::string resolve(const std::string& reference, const Caller& caller) {
  return reference == "self" ? caller.node.value() : reference;
}

// What the store does not hold, asked before the store is.
struct Managers {
  explicit Managers(const Gateway& gateway) {
    const Gateway::ManagerReachability found = gateway.reachability();
    leader = found.leader;
    reachable.insert(found.reachable.begin(), found.reachable.end());
    reachable.insert(leader);  // it hears itself
    reachable.erase(model::MemberId());
  }

  model::MemberId leader;
  std::set<model::MemberId> reachable;
};

void fill_view(const View& view, const Managers& managers, const model::Node& node,
               const NodeId& self, v1::NodeView& out) {
  wire::encode(node, out.mutable_node());
  if (node.manager.has_value()) {
    out.set_is_leader(node.manager->member == managers.leader);
    out.set_is_reachable(managers.reachable.contains(node.manager->member));
  }
  out.set_is_self(node.id == self);
  wire::encode(control::reserved_on(view, node.id), out.mutable_reserved());
}

void list(GatewayPtr gateway, const Caller& caller, const v1::NodeListRequest&,
          Reply<v1::NodeListReply> reply) {
  const Managers managers(*gateway);
  answer_from_store<v1::NodeListReply>(
      std::move(gateway),
      [managers, self = caller.node](const View& view, Gateway&, v1::NodeListReply& out) {
        for (const state::NodePtr& node : control::list_nodes(view)) {
          fill_view(view, managers, *node, self, *out.add_nodes());
        }
        return absl::OkStatus();
      },
      std::move(reply));
}

void get(GatewayPtr gateway, const Caller& caller, const v1::NodeGetRequest& request,
         Reply<v1::NodeView> reply) {
  const Managers managers(*gateway);
  answer_from_store<v1::NodeView>(
      std::move(gateway),
      [managers, reference = resolve(request.reference(), caller), self = caller.node](
          const View& view, Gateway&, v1::NodeView& out) -> Status {
        SWARM_ASSIGN_OR_RETURN(const state::NodePtr node, view.find_node(reference));
        fill_view(view, managers, *node, self, out);
        return absl::OkStatus();
      },
      std::move(reply));
}

void update(GatewayPtr gateway, const Caller&, const v1::NodeUpdateRequest& request,
            Reply<v1::NodeUpdateReply> reply) {
  Result<model::NodeSpec> spec = wire::decode(request.spec());
  if (!spec.ok()) {
    reply(spec.status());
    return;
  }
  const size_t reachable = Managers(*gateway).reachable.size();
  change_store<v1::NodeUpdateReply>(
      std::move(gateway),
      [reachable, id = NodeId(request.id()), version = request.version(), spec = *std::move(spec)](
          const View& view, WallTime now, Random& random, v1::NodeUpdateReply&) {
        return control::update_node(Context{view, now, random}, id, version, spec, reachable);
      },
      std::move(reply));
}

void remove(GatewayPtr gateway, const Caller& caller, const v1::NodeRemoveRequest& request,
            Reply<v1::NodeRemoveReply> reply) {
  change_store<v1::NodeRemoveReply>(
      std::move(gateway),
      [reference = resolve(request.reference(), caller), force = request.force()](
          const View& view, WallTime now, Random& random, v1::NodeRemoveReply&) {
        return control::remove_node(Context{view, now, random}, reference, force);
      },
      std::move(reply));
}

constexpr LeaderMethod<v1::NodeListRequest, v1::NodeListReply> kList{"/swarm.v1.Nodes/List", true,
                                                                     list};
constexpr LeaderMethod<v1::NodeGetRequest, v1::NodeView> kGet{"/swarm.v1.Nodes/Get", true, get};
constexpr LeaderMethod<v1::NodeUpdateRequest, v1::NodeUpdateReply> kUpdate{"/swarm.v1.Nodes/Update",
                                                                           false, update};
constexpr LeaderMethod<v1::NodeRemoveRequest, v1::NodeRemoveReply> kRemove{"/swarm.v1.Nodes/Remove",
                                                                           false, remove};

class NodesService final : public v1::Nodes::CallbackService {
 public:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  explicit NodesService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  Reactor* List(Context* context, const v1::NodeListRequest* request,
                v1::NodeListReply* response) override {
    return serve_by_leader(core_, kList, context, request, response);
  }
  Reactor* Get(Context* context, const v1::NodeGetRequest* request,
               v1::NodeView* response) override {
    return serve_by_leader(core_, kGet, context, request, response);
  }
  Reactor* Update(Context* context, const v1::NodeUpdateRequest* request,
                  v1::NodeUpdateReply* response) override {
    return serve_by_leader(core_, kUpdate, context, request, response);
  }
  Reactor* Remove(Context* context, const v1::NodeRemoveRequest* request,
                  v1::NodeRemoveReply* response) override {
    return serve_by_leader(core_, kRemove, context, request, response);
  }

 private:
  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_nodes_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<NodesService>(std::move(core));
}

}  // namespace swarm::api
