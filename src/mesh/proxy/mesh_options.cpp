#include "mesh/proxy/mesh_options.h"

#include <functional>
#include <map>

namespace swarm::mesh {

std::filesystem::path keeper_socket(const std::filesystem::path& control_socket) {
  return control_socket.parent_path() / "keep.sock";
}

std::vector<std::string> to_arguments(const MeshOptions& options) {
  return {"--control",      options.control_socket.string(),
          "--swarm",        options.swarm.value(),
          "--node",         options.node.value(),
          "--data-address", options.data_address,
          "--peer-address", options.peer_address};
}

Result<MeshOptions> parse_mesh_arguments(const std::vector<std::string>& arguments) {
  MeshOptions options;
  const std::map<std::string, std::function<void(const std::string&)>> known = {
      {"--control", [&](const std::string& value) { options.control_socket = value; }},
      {"--swarm", [&](const std::string& value) { options.swarm = model::SwarmId(value); }},
      {"--node", [&](const std::string& value) { options.node = model::NodeId(value); }},
      {"--data-address", [&](const std::string& value) { options.data_address = value; }},
      {"--peer-address", [&](const std::string& value) { options.peer_address = value; }}};
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const auto option = known.find(arguments[i]);
    if (option == known.end()) {
      return absl::InvalidArgumentError("swarmd mesh knows no option '" + arguments[i] + "'");
    }
    if (i + 1 == arguments.size()) {
      return absl::InvalidArgumentError("option " + arguments[i] + " of swarmd mesh needs a value");
    }
    option->second(arguments[i + 1]);
  }
  if (options.control_socket.empty() || options.node.is_empty() || options.swarm.is_empty()) {
    return absl::InvalidArgumentError("swarmd mesh needs --control, --swarm and --node");
  }
  return options;
}

}  // namespace swarm::mesh
