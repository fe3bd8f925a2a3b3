#include "mesh/control_message.h"

#include <utility>

#include "mesh/byte_codec.h"

namespace swarm::mesh {

namespace {

// ---- the values they are made of: put and get of each side by side ----

void put(ByteWriter& out, const model::PublishedPort& port) {
  out.put_u16(port.target);
  out.put_u16(port.published);
  out.put_u8(static_cast<uint8_t>(port.protocol));
  out.put_u8(static_cast<uint8_t>(port.mode));
}

model::PublishedPort get_port(ByteReader& in) {
  model::PublishedPort port;
  port.target = in.u16();
  port.published = in.u16();
  port.protocol = in.u8() == 0 ? model::PortProtocol::tcp : model::PortProtocol::udp;
  port.mode = in.u8() == 0 ? model::PublishMode::ingress : model::PublishMode::host;
  return port;
}

void put(ByteWriter& out, const model::Endpoint& endpoint) {
  out.put_string(endpoint.task.value());
  out.put_string(endpoint.node.value());
  out.put_string(endpoint.mesh_address);
  out.put_u8(static_cast<uint8_t>(endpoint.state));
}

model::Endpoint get_endpoint(ByteReader& in) {
  model::Endpoint endpoint;
  endpoint.task = model::TaskId(in.string());
  endpoint.node = model::NodeId(in.string());
  endpoint.mesh_address = in.string();
  endpoint.state = in.u8() == 0 ? model::EndpointState::ready : model::EndpointState::draining;
  return endpoint;
}

void put(ByteWriter& out, const model::NodeId& node) {
  out.put_string(node.value());
}

model::NodeId get_node(ByteReader& in) {
  return model::NodeId(in.string());
}

void put(ByteWriter& out, const TargetAddress& address) {
  out.put_u16(address.target);
  out.put_string(address.address);
}

TargetAddress get_address(ByteReader& in) {
  TargetAddress address;
  address.target = in.u16();
  address.address = in.string();
  return address;
}

void put(ByteWriter& out, const PortIssue& issue) {
  out.put_string(issue.service.value());
  put(out, issue.port);
  out.put_string(issue.error);
}

PortIssue get_issue(ByteReader& in) {
  PortIssue issue;
  issue.service = model::ServiceId(in.string());
  issue.port = get_port(in);
  issue.error = in.string();
  return issue;
}

void put(ByteWriter& out, const model::MeshService& service);

template <class Value>
void put_list(ByteWriter& out, const std::vector<Value>& values) {
  out.put_u32(static_cast<uint32_t>(values.size()));
  for (const Value& value : values) {
    put(out, value);
  }
}

template <class Get>
auto get_list(ByteReader& in, size_t min_size, Get get) {
  std::vector<decltype(get(in))> values;
  const uint32_t count = in.count(min_size);
  values.reserve(count);
  for (uint32_t i = 0; i < count && in.is_good(); ++i) {
    values.push_back(get(in));
  }
  return values;
}

void put(ByteWriter& out, const model::MeshService& service) {
  out.put_string(service.service.value());
  out.put_string(service.name);
  put_list(out, service.ports);
  put_list(out, service.endpoints);
}

model::MeshService get_service(ByteReader& in) {
  model::MeshService service;
  service.service = model::ServiceId(in.string());
  service.name = in.string();
  service.ports = get_list(in, 6, get_port);
  service.endpoints = get_list(in, 13, get_endpoint);
  return service;
}

// ---- messages ----

void put_fields(ByteWriter& out, const Hello& hello) {
  out.put_u32(hello.protocol);
  out.put_string(hello.swarm.value());
  out.put_string(hello.node.value());
}

void put_fields(ByteWriter& out, const Welcome& welcome) {
  out.put_u32(welcome.protocol);
  out.put_string(welcome.swarm.value());
  out.put_string(welcome.node.value());
}

template <class Greeting>
Greeting get_greeting(ByteReader& in) {
  Greeting greeting;
  greeting.protocol = in.u32();
  greeting.swarm = model::SwarmId(in.string());
  greeting.node = model::NodeId(in.string());
  return greeting;
}

void put_fields(ByteWriter& out, const model::MeshTable& table) {
  out.put_u64(table.position);
  put_list(out, table.services);
  put_list(out, table.removed_nodes);
}

model::MeshTable get_table(ByteReader& in) {
  model::MeshTable table;
  table.position = in.u64();
  table.services = get_list(in, 16, get_service);
  table.removed_nodes = get_list(in, 4, get_node);
  return table;
}

void put_fields(ByteWriter& out, const Admit& admit) {
  out.put_string(admit.task.task.value());
  out.put_string(admit.task.service.value());
  put_list(out, admit.task.addresses);
}

Admit get_admit(ByteReader& in) {
  Admit admit;
  admit.task.task = model::TaskId(in.string());
  admit.task.service = model::ServiceId(in.string());
  admit.task.addresses = get_list(in, 6, get_address);
  return admit;
}

void put_fields(ByteWriter& out, const Retire& retire) {
  out.put_string(retire.task.value());
  out.put_u64(static_cast<uint64_t>(retire.timeout.count()));
}
void put_fields(ByteWriter& out, const Retired& retired) {
  out.put_string(retired.task.value());
}

Retire get_retire(ByteReader& in) {
  Retire retire;
  retire.task = model::TaskId(in.string());
  retire.timeout = Duration(static_cast<Duration::rep>(in.u64()));
  return retire;
}

void put_fields(ByteWriter& out, const Credentials& credentials) {
  out.put_string(credentials.ca_certificate);
  out.put_string(credentials.certificate);
  out.put_string(credentials.key);
}

Credentials get_credentials(ByteReader& in) {
  Credentials credentials;
  credentials.ca_certificate = in.string();
  credentials.certificate = in.string();
  credentials.key = in.string();
  return credentials;
}

void put_fields(ByteWriter&, const Shutdown&) {}
void put_fields(ByteWriter&, const Ping&) {}
void put_fields(ByteWriter&, const Pong&) {}
void put_fields(ByteWriter& out, const Problems& problems) {
  put_list(out, problems.issues);
  out.put_u64(problems.table);
}

Problems get_problems(ByteReader& in) {
  Problems problems;
  problems.issues = get_list(in, 14, get_issue);
  problems.table = in.u64();
  return problems;
}

// The kinds are the places in the variant.
ControlMessage get_message(ByteReader& in, uint8_t kind, bool& is_known) {
  switch (kind) {
    case 0:
      return get_greeting<Hello>(in);
    case 1:
      return get_table(in);
    case 2:
      return get_admit(in);
    case 3:
      return get_retire(in);
    case 4:
      return get_credentials(in);
    case 5:
      return Shutdown{};
    case 6:
      return get_greeting<Welcome>(in);
    case 7:
      return Retired{model::TaskId(in.string())};
    case 8:
      return get_problems(in);
    case 9:
      return Ping{};
    case 10:
      return Pong{};
    default:
      is_known = false;
      return Shutdown{};
  }
}

}  // namespace

std::string encode_control(const ControlMessage& message) {
  ByteWriter out;
  out.put_u8(static_cast<uint8_t>(message.index()));
  std::visit([&out](const auto& fields) { put_fields(out, fields); }, message);
  return out.take();
}

Result<ControlMessage> decode_control(std::string_view bytes) {
  ByteReader in(bytes);
  bool is_known = true;
  const uint8_t kind = in.u8();
  ControlMessage message = get_message(in, kind, is_known);
  if (!is_known || !in.is_complete()) {
    return absl::InvalidArgumentError("not a control message of the mesh");
  }
  return message;
}

}  // namespace swarm::mesh
