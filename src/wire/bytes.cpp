#include "wire/bytes.h"

#include "proto/objects.pb.h"
#include "wire/agent_codec.h"
#include "wire/scratch_arena.h"
#include "wire/service_codec.h"
#include "wire/task_codec.h"

namespace swarm::wire {
namespace {

template <class Message, class Model>
std::string write(const Model& value) {
  ScratchArena arena;
  auto& message = arena.make<Message>();
  encode(value, &message);
  return message.SerializeAsString();
}

template <class Message, class Model>
Result<Model> read(std::string_view bytes, const char* what) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(std::to_string(bytes.size()) + " bytes are not " + what);
  }
  Result<Model> value = decode(message);
  if (!value.ok()) {
    return absl::DataLossError(std::string(what) +
                               " cannot be read: " + std::string(value.status().message()));
  }
  return value;
}

}  // namespace

std::string to_bytes(const model::Assignment& assignment) {
  return write<v1::Assignment>(assignment);
}
std::string to_bytes(const model::AssignmentSet& set) {
  return write<v1::AssignmentSet>(set);
}
std::string to_bytes(const model::TaskStatus& status) {
  return write<v1::TaskStatus>(status);
}
std::string to_bytes(const model::MeshTable& table) {
  return write<v1::MeshTable>(table);
}
std::string to_bytes(const model::ServiceSpec& spec) {
  return write<v1::ServiceSpec>(spec);
}
std::string to_bytes(const model::TaskTemplate& task) {
  return write<v1::TaskTemplate>(task);
}

Result<model::Assignment> parse_assignment(std::string_view bytes) {
  return read<v1::Assignment, model::Assignment>(bytes, "an assignment");
}
Result<model::AssignmentSet> parse_assignment_set(std::string_view bytes) {
  return read<v1::AssignmentSet, model::AssignmentSet>(bytes, "a set of assignments");
}
Result<model::TaskStatus> parse_task_status(std::string_view bytes) {
  return read<v1::TaskStatus, model::TaskStatus>(bytes, "a task status");
}
Result<model::MeshTable> parse_mesh_table(std::string_view bytes) {
  return read<v1::MeshTable, model::MeshTable>(bytes, "a mesh table");
}
Result<model::ServiceSpec> parse_service_spec(std::string_view bytes) {
  return read<v1::ServiceSpec, model::ServiceSpec>(bytes, "a service spec");
}
Result<model::TaskTemplate> parse_task_template(std::string_view bytes) {
  return read<v1::TaskTemplate, model::TaskTemplate>(bytes, "a task template");
}

}  // namespace swarm::wire
