#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

namespace swarm::api {

// What every channel of ours has in common.
grpc::ChannelArguments common_arguments();

// A connection to the local socket at `path`. Connecting is lazy.
std::shared_ptr<grpc::Channel> make_local_channel(const std::string& path);

}  // namespace swarm::api
