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

template <class Response>
using Reply = absl::AnyInvocable<void(Result<Response>)>;
using GatewayPtr = std::shared_ptr<Gateway>;

void fill_summary(const View& view, const model::Service& service, v1::ServiceSummary& out) {
  const control::ServiceCount count = control::count_service(view, service);
  wire::encode(service, out.mutable_service());
  out.set_running(count.running);
  out.set_desired(count.desired);
}

void create(GatewayPtr gateway, const Caller&, const v1::ServiceCreateRequest& request,
            Reply<v1::ServiceCreateReply> reply) {
  Result<model::ServiceSpec> spec = wire::decode(request.spec());
  if (!spec.ok()) {
    reply(spec.status());
    return;
  }
  change_store<v1::ServiceCreateReply>(
      std::move(gateway),
      [spec = *std::move(spec)](const View& view, WallTime now, Random& random,
                                v1::ServiceCreateReply& out) mutable -> Result<ChangeSet> {
        SWARM_ASSIGN_OR_RETURN(
            control::CreatedService created,
            control::create_service(Context{view, now, random}, std::move(spec)));
        out.set_id(created.id.value());
        return std::move(created.changes);
      },
      std::move(reply));
}

void update(GatewayPtr gateway, const Caller&, const v1::ServiceUpdateRequest& request,
            Reply<v1::ServiceUpdateReply> reply) {
  Result<model::ServiceSpec> spec = wire::decode(request.spec());
  if (!spec.ok()) {
    reply(spec.status());
    return;
  }
  change_store<v1::ServiceUpdateReply>(
      std::move(gateway),
      [id = ServiceId(request.id()), version = request.version(), spec = *std::move(spec)](
          const View& view, WallTime now, Random& random, v1::ServiceUpdateReply&) mutable {
        return control::update_service(Context{view, now, random}, id, version, std::move(spec));
      },
      std::move(reply));
}

void rollback(GatewayPtr gateway, const Caller&, const v1::ServiceRollbackRequest& request,
              Reply<v1::ServiceRollbackReply> reply) {
  std::optional<model::RevisionNumber> to;
  if (request.to() != 0) {
    to = request.to();
  }
  change_store<v1::ServiceRollbackReply>(
      std::move(gateway),
      [reference = request.reference(), to](const View& view, WallTime now, Random& random,
                                            v1::ServiceRollbackReply&) {
        return control::rollback_service(Context{view, now, random}, reference, to);
      },
      std::move(reply));
}

void scale(GatewayPtr gateway, const Caller&, const v1::ServiceScaleRequest& request,
           Reply<v1::ServiceScaleReply> reply) {
  change_store<v1::ServiceScaleReply>(
      std::move(gateway),
      [reference = request.reference(), replicas = request.replicas()](
          const View& view, WallTime now, Random& random, v1::ServiceScaleReply&) {
        return control::scale_service(Context{view, now, random}, reference, replicas);
      },
      std::move(reply));
}

void remove(GatewayPtr gateway, const Caller&, const v1::ServiceRemoveRequest& request,
            Reply<v1::ServiceRemoveReply> reply) {
  change_store<v1::ServiceRemoveReply>(
      std::move(gateway),
      [reference = request.reference()](const View& view, WallTime now, Random& random,
                                        v1::ServiceRemoveReply&) {
        return control::remove_service(Context{view, now, random}, reference);
      },
      std::move(reply));
}

void get(GatewayPtr gateway, const Caller&, const v1::ServiceGetRequest& request,
         Reply<v1::ServiceSummary> reply) {
  answer_from_store<v1::ServiceSummary>(
      std::move(gateway),
      [reference = request.reference()](const View& view, Gateway&,
                                        v1::ServiceSummary& out) -> Status {
        SWARM_ASSIGN_OR_RETURN(const state::ServicePtr service, view.find_service(reference));
        fill_summary(view, *service, out);
        return absl::OkStatus();
      },
      std::move(reply));
}

void list(GatewayPtr gateway, const Caller&, const v1::ServiceListRequest&,
          Reply<v1::ServiceListReply> reply) {
  answer_from_store<v1::ServiceListReply>(
      std::move(gateway),
      [](const View& view, Gateway&, v1::ServiceListReply& out) {
        for (const state::ServicePtr& service : control::list_services(view)) {
          fill_summary(view, *service, *out.add_services());
        }
        return absl::OkStatus();
      },
      std::move(reply));
}

// Counts by hand what control::count_service counts for all revisions together.
std::map<model::RevisionNumber, uint64_t> running_by_revision(const View& view,
                                                              const ServiceId& service) {
  std::map<model::RevisionNumber, uint64_t> running;
  for (const auto& [id, task] : view.tasks_of(service)) {
    const state::NodePtr node = view.node(task->node);
    if (task->status.state == model::TaskState::running && node != nullptr &&
        node->status.state != model::NodeState::down) {
      ++running[task->revision];
    }
  }
  return running;
}

void history(GatewayPtr gateway, const Caller&, const v1::ServiceHistoryRequest& request,
             Reply<v1::ServiceHistoryReply> reply) {
  answer_from_store<v1::ServiceHistoryReply>(
      std::move(gateway),
      [reference = request.reference()](const View& view, Gateway&,
                                        v1::ServiceHistoryReply& out) -> Status {
        SWARM_ASSIGN_OR_RETURN(const state::ServicePtr service, view.find_service(reference));
        auto running = running_by_revision(view, service->id);
        const auto& revisions = view.revisions_of(service->id);
        for (auto it = revisions.rbegin(); it != revisions.rend(); ++it) {
          v1::RevisionView& entry = *out.add_revisions();
          wire::encode(*it->second, entry.mutable_revision());
          entry.set_is_current(it->first == service->revision);
          entry.set_is_previous(it->first == service->previous_revision);
          entry.set_running(running[it->first]);
        }
        return absl::OkStatus();
      },
      std::move(reply));
}

constexpr LeaderMethod<v1::ServiceCreateRequest, v1::ServiceCreateReply> kCreate{
    "/swarm.v1.Services/Create", false, create};
constexpr LeaderMethod<v1::ServiceUpdateRequest, v1::ServiceUpdateReply> kUpdate{
    "/swarm.v1.Services/Update", false, update};
constexpr LeaderMethod<v1::ServiceRollbackRequest, v1::ServiceRollbackReply> kRollback{
    "/swarm.v1.Services/Rollback", false, rollback};
constexpr LeaderMethod<v1::ServiceScaleRequest, v1::ServiceScaleReply> kScale{
    "/swarm.v1.Services/Scale", false, scale};
constexpr LeaderMethod<v1::ServiceRemoveRequest, v1::ServiceRemoveReply> kRemove{
    "/swarm.v1.Services/Remove", false, remove};
constexpr LeaderMethod<v1::ServiceGetRequest, v1::ServiceSummary> kGet{"/swarm.v1.Services/Get",
                                                                       true, get};
constexpr LeaderMethod<v1::ServiceListRequest, v1::ServiceListReply> kList{
    "/swarm.v1.Services/List", true, list};
constexpr LeaderMethod<v1::ServiceHistoryRequest, v1::ServiceHistoryReply> kHistory{
    "/swarm.v1.Services/History", true, history};

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
