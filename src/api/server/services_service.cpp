#include "api/server/leader_call.h"
#include "api/server/service_factories.h"
#include "api/server/store_call.h"
#include "control/queries.h"
#include "control/services.h"
#include "proto/services.grpc.pb.h"
#include "wire/service_codec.h"

namespace swarm::api {

namespace {

using control::Context;
using model::ServiceId;
using state::ChangeSet;
using state::View;

using GatewayPtr = std::shared_ptr<Gateway>;

// The revision a service is at once `changes` are stored.
model::RevisionNumber revision_after(const View& view, const std::string& reference,
                                     const ChangeSet& changes) {
  for (const ChangeSet::Object& object : changes.puts) {
    if (const auto* service = std::get_if<state::ServicePtr>(&object)) {
      return (*service)->revision;
    }
  }
  const Result<state::ServicePtr> service = view.find_service(reference);
  return service.ok() ? (*service)->revision : 0;
}

void fill_summary(const View& view, const Gateway& gateway, const model::Service& service,
                  v1::ServiceSummary& out) {
  const control::ServiceCount count = control::count_service(view, service);
  wire::encode(service, out.mutable_service());
  wire::encode(view.template_of(service), out.mutable_task());
  out.set_running(count.running);
  out.set_desired(count.desired);
  const auto has_opened = [&](const model::NodeId& node) {
    return gateway.has_opened(node, service.id);
  };
  for (const control::ServiceClosedPort& closed :
       control::closed_ports_of(view, service, has_opened)) {
    v1::ServiceClosedPort& entry = *out.add_closed_ports();
    entry.set_node(closed.node.value());
    entry.set_node_hostname(closed.node_hostname);
    wire::encode(closed.port, entry.mutable_port());
    entry.set_reason(closed.reason);
  }
}

void create(GatewayPtr gateway, const Caller& caller, const v1::ServiceCreateRequest& request,
            StoreReply<v1::ServiceCreateReply> reply) {
  Result<model::ServiceSpec> spec = wire::decode(request.spec());
  if (!spec.ok()) {
    reply(spec.status());
    return;
  }
  const ServiceId id =
      caller.request.number == 0 ? ServiceId{} : control::service_id_of(caller.request.number);
  change_store<v1::ServiceCreateReply>(
      *gateway, caller,
      [id, spec = *std::move(spec)](const Context& context,
                                    v1::ServiceCreateReply& out) mutable -> Result<ChangeSet> {
        SWARM_ASSIGN_OR_RETURN(control::CreatedService created,
                               control::create_service(context, std::move(spec), id));
        out.set_id(created.id.value());
        return std::move(created.changes);
      },
      // Whatever became of the service since: this is the one that the request made.
      [id](const View&, v1::ServiceCreateReply& out) {
        out.set_id(id.value());
        return absl::OkStatus();
      },
      std::move(reply));
}

void update(GatewayPtr gateway, const Caller& caller, const v1::ServiceUpdateRequest& request,
            StoreReply<v1::ServiceUpdateReply> reply) {
  Result<model::ServiceSpec> spec = wire::decode(request.spec());
  if (!spec.ok()) {
    reply(spec.status());
    return;
  }
  change_store<v1::ServiceUpdateReply>(
      *gateway, caller,
      [id = ServiceId(request.id()), version = request.version(), spec = *std::move(spec)](
          const Context& context, v1::ServiceUpdateReply& response) mutable -> Result<ChangeSet> {
        SWARM_ASSIGN_OR_RETURN(ChangeSet changes,
                               control::update_service(context, id, version, std::move(spec)));
        response.set_revision(revision_after(context.view, id.value(), changes));
        return changes;
      },
      [id = request.id()](const View& view, v1::ServiceUpdateReply& response) {
        response.set_revision(revision_after(view, id, {}));
        return absl::OkStatus();
      },
      std::move(reply));
}

void rollback(GatewayPtr gateway, const Caller& caller, const v1::ServiceRollbackRequest& request,
              StoreReply<v1::ServiceRollbackReply> reply) {
  std::optional<model::RevisionNumber> to;
  if (request.to() != 0) {
    to = request.to();
  }
  change_store<v1::ServiceRollbackReply>(
      *gateway, caller,
      [reference = request.reference(), to](
          const Context& context, v1::ServiceRollbackReply& response) -> Result<ChangeSet> {
        SWARM_ASSIGN_OR_RETURN(ChangeSet changes,
                               control::rollback_service(context, reference, to));
        response.set_revision(revision_after(context.view, reference, changes));
        return changes;
      },
      [reference = request.reference()](const View& view, v1::ServiceRollbackReply& response) {
        response.set_revision(revision_after(view, reference, {}));
        return absl::OkStatus();
      },
      std::move(reply));
}

Result<ChangeSet> scale(const Context& context, const Caller&,
                        const v1::ServiceScaleRequest& request) {
  return control::scale_service(context, request.reference(), request.replicas());
}

Result<ChangeSet> remove(const Context& context, const Caller&,
                         const v1::ServiceRemoveRequest& request) {
  return control::remove_service(context, request.reference());
}

Status get(const View& view, Gateway& gateway, const Caller&, const v1::ServiceGetRequest& request,
           v1::ServiceSummary& out) {
  SWARM_ASSIGN_OR_RETURN(const state::ServicePtr service, view.find_service(request.reference()));
  fill_summary(view, gateway, *service, out);
  return absl::OkStatus();
}

Status list(const View& view, Gateway& gateway, const Caller&, const v1::ServiceListRequest&,
            v1::ServiceListReply& out) {
  for (const state::ServicePtr& service : control::list_services(view)) {
    fill_summary(view, gateway, *service, *out.add_services());
  }
  return absl::OkStatus();
}

// Counts by hand what control::count_service counts for all revisions together.
std::map<model::RevisionNumber, uint64_t> running_by_revision(const View& view,
                                                              const ServiceId& service) {
  std::map<model::RevisionNumber, uint64_t> running;
  for (const auto& [id, task] : view.tasks_of(service)) {
    const state::NodePtr node = view.node(task->node);
    if (model::is_working(task->status) && node != nullptr &&
        node->status.state != model::NodeState::down) {
      ++running[task->revision];
    }
  }
  return running;
}

Status history(const View& view, Gateway&, const Caller&, const v1::ServiceHistoryRequest& request,
               v1::ServiceHistoryReply& out) {
  SWARM_ASSIGN_OR_RETURN(const state::ServicePtr service, view.find_service(request.reference()));
  auto running = running_by_revision(view, service->id);
  const auto revisions = view.revisions_of(service->id);
  for (auto it = revisions.rbegin(); it != revisions.rend(); ++it) {
    v1::RevisionView& entry = *out.add_revisions();
    wire::encode(*it->second, entry.mutable_revision());
    entry.set_is_current(it->first == service->revision);
    entry.set_is_previous(it->first == service->previous_revision);
    entry.set_running(running[it->first]);
  }
  return absl::OkStatus();
}

constexpr LeaderMethod<v1::ServiceCreateRequest, v1::ServiceCreateReply> kCreate{
    "/swarm.v1.Services/Create", Repeat::once, create};
constexpr LeaderMethod<v1::ServiceUpdateRequest, v1::ServiceUpdateReply> kUpdate{
    "/swarm.v1.Services/Update", Repeat::once, update};
constexpr LeaderMethod<v1::ServiceRollbackRequest, v1::ServiceRollbackReply> kRollback{
    "/swarm.v1.Services/Rollback", Repeat::once, rollback};
constexpr LeaderMethod<v1::ServiceScaleRequest, v1::ServiceScaleReply> kScale{
    "/swarm.v1.Services/Scale", Repeat::once, changing<scale>};
constexpr LeaderMethod<v1::ServiceRemoveRequest, v1::ServiceRemoveReply> kRemove{
    "/swarm.v1.Services/Remove", Repeat::once, changing<remove>};
constexpr LeaderMethod<v1::ServiceGetRequest, v1::ServiceSummary> kGet{
    "/swarm.v1.Services/Get", Repeat::freely, reading<get>};
constexpr LeaderMethod<v1::ServiceListRequest, v1::ServiceListReply> kList{
    "/swarm.v1.Services/List", Repeat::freely, reading<list>};
constexpr LeaderMethod<v1::ServiceHistoryRequest, v1::ServiceHistoryReply> kHistory{
    "/swarm.v1.Services/History", Repeat::freely, reading<history>};

class ServicesService final : public v1::Services::CallbackService {
 public:
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  explicit ServicesService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  Reactor* Create(Context* context, const v1::ServiceCreateRequest* request,
                  v1::ServiceCreateReply* response) override {
    return serve_by_leader(core_, kCreate, context, request, response);
  }
  Reactor* Update(Context* context, const v1::ServiceUpdateRequest* request,
                  v1::ServiceUpdateReply* response) override {
    return serve_by_leader(core_, kUpdate, context, request, response);
  }
  Reactor* Rollback(Context* context, const v1::ServiceRollbackRequest* request,
                    v1::ServiceRollbackReply* response) override {
    return serve_by_leader(core_, kRollback, context, request, response);
  }
  Reactor* Scale(Context* context, const v1::ServiceScaleRequest* request,
                 v1::ServiceScaleReply* response) override {
    return serve_by_leader(core_, kScale, context, request, response);
  }
  Reactor* Remove(Context* context, const v1::ServiceRemoveRequest* request,
                  v1::ServiceRemoveReply* response) override {
    return serve_by_leader(core_, kRemove, context, request, response);
  }
  Reactor* Get(Context* context, const v1::ServiceGetRequest* request,
               v1::ServiceSummary* response) override {
    return serve_by_leader(core_, kGet, context, request, response);
  }
  Reactor* List(Context* context, const v1::ServiceListRequest* request,
                v1::ServiceListReply* response) override {
    return serve_by_leader(core_, kList, context, request, response);
  }
  Reactor* History(Context* context, const v1::ServiceHistoryRequest* request,
                   v1::ServiceHistoryReply* response) override {
    return serve_by_leader(core_, kHistory, context, request, response);
  }

 private:
  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_services_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<ServicesService>(std::move(core));
}

}  // namespace swarm::api
