#include "wire/change_set_codec.h"

#include <utility>
#include <variant>

#include "proto/objects.pb.h"
#include "wire/scratch_arena.h"
#include "wire/store_object.h"

namespace swarm::wire {
namespace {

void encode_one(const model::NodeId& node, v1::StoreKey* out) {
  out->set_node(node.value());
}
void encode_one(const model::ServiceId& service, v1::StoreKey* out) {
  out->set_service(service.value());
}
void encode_one(const model::RevisionKey& revision, v1::StoreKey* out) {
  out->mutable_revision()->set_service(revision.service.value());
  out->mutable_revision()->set_number(revision.number);
}
void encode_one(const model::TaskId& task, v1::StoreKey* out) {
  out->set_task(task.value());
}

Result<model::ChangeSet::Key> decode_key(const v1::StoreKey& in) {
  switch (in.key_case()) {
    case v1::StoreKey::kNode:
      return model::NodeId(in.node());
    case v1::StoreKey::kService:
      return model::ServiceId(in.service());
    case v1::StoreKey::kRevision:
      return model::RevisionKey{model::ServiceId(in.revision().service()), in.revision().number()};
    case v1::StoreKey::kTask:
      return model::TaskId(in.task());
    case v1::StoreKey::KEY_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("a removal is of a kind this version does not know");
}

Status fill(const v1::ChangeSet& in, model::ChangeSet* out) {
  out->puts.reserve(in.puts_size());
  for (const v1::StoreObject& item : in.puts()) {
    SWARM_ASSIGN_OR_RETURN(model::ChangeSet::Object object, decode(item));
    out->puts.push_back(std::move(object));
  }
  out->removals.reserve(in.removals_size());
  for (const v1::StoreKey& item : in.removals()) {
    SWARM_ASSIGN_OR_RETURN(model::ChangeSet::Key key, decode_key(item));
    out->removals.push_back(std::move(key));
  }
  return absl::OkStatus();
}

}  // namespace

std::string encode_change_set(model::Position position, const model::ChangeSet& changes) {
  ScratchArena arena;
  auto& message = arena.make<v1::ChangeSet>();
  message.set_position(position);
  message.set_request(changes.request);
  for (const model::ChangeSet::Object& object : changes.puts) {
    encode(object, message.add_puts());
  }
  for (const model::ChangeSet::Key& key : changes.removals) {
    v1::StoreKey* item = message.add_removals();
    std::visit([item](const auto& one) { encode_one(one, item); }, key);
  }
  return message.SerializeAsString();
}

Result<Entry> decode_change_set(std::string_view bytes) {
  ScratchArena arena;
  auto& message = arena.make<v1::ChangeSet>();
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("a log entry of " + std::to_string(bytes.size()) +
                               " bytes is not a change set");
  }
  Entry entry;
  entry.position = message.position();
  entry.changes.request = message.request();
  if (Status status = fill(message, &entry.changes); !status.ok()) {
    return absl::DataLossError("change set " + std::to_string(entry.position) +
                               " cannot be read: " + std::string(status.message()));
  }
  return entry;
}

}  // namespace swarm::wire
