#pragma once

#include <memory>

namespace grpc {
class Service;
}  // namespace grpc

namespace swarm::api {

class ServerCore;

// One gRPC service each, in the file of its name. A service converts, passes the door (caller.h),
// calls the gateway or the node, and replies; it decides nothing.
std::unique_ptr<grpc::Service> make_dispatcher_service(std::shared_ptr<ServerCore> core);
std::unique_ptr<grpc::Service> make_local_node_service(std::shared_ptr<ServerCore> core);
std::unique_ptr<grpc::Service> make_node_ca_service(std::shared_ptr<ServerCore> core);
std::unique_ptr<grpc::Service> make_nodes_service(std::shared_ptr<ServerCore> core);
std::unique_ptr<grpc::Service> make_raft_peer_service(std::shared_ptr<ServerCore> core);
std::unique_ptr<grpc::Service> make_services_service(std::shared_ptr<ServerCore> core);
std::unique_ptr<grpc::Service> make_swarm_service(std::shared_ptr<ServerCore> core);
std::unique_ptr<grpc::Service> make_tasks_service(std::shared_ptr<ServerCore> core);

}  // namespace swarm::api
