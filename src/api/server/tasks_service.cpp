#include "api/server/leader_call.h"
#include "api/server/service_factories.h"
#include "api/server/store_call.h"
#include "control/queries.h"
#include "proto/tasks.grpc.pb.h"
#include "state/task_wait.h"
#include "wire/service_codec.h"
#include "wire/task_codec.h"

namespace swarm::api {

namespace {

using state::View;

// The ids of all references; NOT_FOUND with every sentence when some are not known.
struct Resolved {
  std::vector<model::ServiceId> services;
  std::vector<model::NodeId> nodes;
};

void note(Status& all, const Status& one) {
  if (all.ok()) {
    all = one;
  } else {
    all = Status(all.code(), std::string(all.message()) + "; " + std::string(one.message()));
  }
}

Result<Resolved> resolve(const View& view, const v1::TaskListRequest& request,
                         const model::NodeId& self) {
  Resolved found;
  Status unknown;
  for (const std::string& reference : request.services()) {
    const Result<state::ServicePtr> service = view.find_service(reference);
    if (service.ok()) {
      found.services.push_back((*service)->id);
    } else {
      note(unknown, service.status());
    }
  }
  for (const std::string& reference : request.nodes()) {
    const Result<state::NodePtr> node =
        view.find_node(reference == "self" ? self.value() : reference);
    if (node.ok()) {
      found.nodes.push_back((*node)->id);
    } else {
      note(unknown, node.status());
    }
  }
  SWARM_RETURN_IF_ERROR(unknown);
  return found;
}

void fill_view(const View& view, const Gateway& gateway, const model::Task& stored,
               v1::TaskView& out) {
  const model::TaskStatus* soft = gateway.soft_status(stored.id);
  if (const auto wait = state::wait_of(view, stored, soft != nullptr ? *soft : stored.status)) {
    wire::encode(*wait, out.mutable_wait());
  }
  if (soft != nullptr) {
    model::Task task = stored;
    task.status = *soft;
    wire::encode(task, out.mutable_task());
  } else {
    wire::encode(stored, out.mutable_task());
  }
  if (const state::ServicePtr service = view.service(stored.service)) {
    out.set_service_name(service->settings.name);
  }
  if (const state::NodePtr node = view.node(stored.node)) {
    out.set_node_hostname(node->description.hostname);
  }
  out.set_node_trouble(control::node_trouble_of(view, stored));
  const model::TaskTemplate& made_from = view.template_of(stored);
  out.set_image(made_from.container.image);
  for (const model::PublishedPort& port : made_from.ports) {
    wire::encode(port, out.add_ports());
  }
}

Status list(const View& view, Gateway& gateway, const Caller& caller,
            const v1::TaskListRequest& request, v1::TaskListReply& out) {
  SWARM_ASSIGN_OR_RETURN(const Resolved found, resolve(view, request, caller.node));
  for (const state::TaskPtr& task : control::list_tasks(view, found.services, found.nodes)) {
    fill_view(view, gateway, *task, *out.add_tasks());
  }
  return absl::OkStatus();
}

constexpr LeaderMethod<v1::TaskListRequest, v1::TaskListReply> kList{"/swarm.v1.Tasks/List",
                                                                     Repeat::freely, reading<list>};

class TasksService final : public v1::Tasks::CallbackService {
 public:
  explicit TasksService(std::shared_ptr<ServerCore> core) : core_(std::move(core)) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::TaskListRequest* request,
                                 v1::TaskListReply* response) override {
    return serve_by_leader(core_, kList, context, request, response);
  }

 private:
  const std::shared_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_tasks_service(std::shared_ptr<ServerCore> core) {
  return std::make_unique<TasksService>(std::move(core));
}

}  // namespace swarm::api
