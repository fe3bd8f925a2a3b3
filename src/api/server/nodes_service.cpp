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

using GatewayPtr = std::shared_ptr<Gateway>;

// "self" is the node that was asked first, wherever the leader is.
std::string resolve(const std::string& reference, const Caller& caller) {
  return reference == "self" ? caller.node.value() : reference;
}

// What the store does not hold.
struct Managers {
  explicit Managers(const Gateway::ManagerReachability& found)
      : leader(found.leader), reachable(found.reachable.begin(), found.reachable.end()) {
    reachable.insert(leader);  // it hears itself
    reachable.erase(model::MemberId());
  }

  model::MemberId leader;
  std::set<model::MemberId> reachable;
};

// Asks who can be reached before it reads: `fill(view, managers, response)`.
template <class Response, class Fill>
void answer_with_managers(GatewayPtr gateway, Fill fill, StoreReply<Response> reply) {
  Gateway& target = *gateway;
  target.ask_reachability([gateway = std::move(gateway), fill = std::move(fill),
                           reply = std::move(reply)](const auto& found) mutable {
    answer_from_store<Response>(
        std::move(gateway),
        [managers = Managers(found), fill = std::move(fill)](
            const View& view, Gateway&, Response& out) { return fill(view, managers, out); },
        std::move(reply));
  });
}

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
          StoreReply<v1::NodeListReply> reply) {
  answer_with_managers<v1::NodeListReply>(
      std::move(gateway),
      [self = caller.node](const View& view, const Managers& managers, v1::NodeListReply& out) {
        for (const state::NodePtr& node : control::list_nodes(view)) {
          fill_view(view, managers, *node, self, *out.add_nodes());
        }
        return absl::OkStatus();
      },
      std::move(reply));
}

void get(GatewayPtr gateway, const Caller& caller, const v1::NodeGetRequest& request,
         StoreReply<v1::NodeView> reply) {
  answer_with_managers<v1::NodeView>(
      std::move(gateway),
      [reference = resolve(request.reference(), caller), self = caller.node](
          const View& view, const Managers& managers, v1::NodeView& out) -> Status {
        SWARM_ASSIGN_OR_RETURN(const state::NodePtr node, view.find_node(reference));
        fill_view(view, managers, *node, self, out);
        return absl::OkStatus();
      },
      std::move(reply));
}

void update(GatewayPtr gateway, const Caller& caller, const v1::NodeUpdateRequest& request,
            StoreReply<v1::NodeUpdateReply> reply) {
  Result<model::NodeSpec> spec = wire::decode(request.spec());
  if (!spec.ok()) {
    reply(spec.status());
    return;
  }
  Gateway& target = *gateway;
  target.ask_reachability([gateway = std::move(gateway), caller, id = NodeId(request.id()),
                           version = request.version(), spec = *std::move(spec),
                           reply = std::move(reply)](const auto& found) mutable {
    change_store<v1::NodeUpdateReply>(
        *gateway, caller,
        [reachable = Managers(found).reachable, id, version,
         spec = std::move(spec)](const Context& context) {
          return control::update_node(context, id, version, spec, reachable);
        },
        std::move(reply));
  });
}

void remove(GatewayPtr gateway, const Caller& caller, const v1::NodeRemoveRequest& request,
            StoreReply<v1::NodeRemoveReply> reply) {
  Gateway& target = *gateway;
  target.ask_reachability([gateway = std::move(gateway), caller, request,
                           reply = std::move(reply)](const auto& found) mutable {
    change_store<v1::NodeRemoveReply>(
        *gateway, caller,
        [reachable = Managers(found).reachable, reference = resolve(request.reference(), caller),
         force = request.force()](const Context& context) {
          return control::remove_node(context, reference, force, reachable);
        },
        std::move(reply));
  });
}

constexpr LeaderMethod<v1::NodeListRequest, v1::NodeListReply> kList{"/swarm.v1.Nodes/List",
                                                                     Repeat::freely, list};
constexpr LeaderMethod<v1::NodeGetRequest, v1::NodeView> kGet{"/swarm.v1.Nodes/Get", Repeat::freely,
                                                              get};
constexpr LeaderMethod<v1::NodeUpdateRequest, v1::NodeUpdateReply> kUpdate{"/swarm.v1.Nodes/Update",
                                                                           Repeat::once, update};
constexpr LeaderMethod<v1::NodeRemoveRequest, v1::NodeRemoveReply> kRemove{"/swarm.v1.Nodes/Remove",
                                                                           Repeat::once, remove};

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
