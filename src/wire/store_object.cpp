#include "wire/store_object.h"

#include <memory>
#include <utility>
#include <variant>

#include "proto/objects.pb.h"
#include "wire/cluster_codec.h"
#include "wire/node_codec.h"
#include "wire/service_codec.h"
#include "wire/task_codec.h"

namespace swarm::wire {
namespace {

void encode_one(const model::Cluster& cluster, v1::StoreObject* out) {
  encode(cluster, out->mutable_cluster());
}
void encode_one(const model::Node& node, v1::StoreObject* out) {
  encode(node, out->mutable_node());
}
void encode_one(const model::Service& service, v1::StoreObject* out) {
  encode(service, out->mutable_service());
}
void encode_one(const model::Revision& revision, v1::StoreObject* out) {
  encode(revision, out->mutable_revision());
}
void encode_one(const model::Task& task, v1::StoreObject* out) {
  encode(task, out->mutable_task());
}

template <class T>
Result<model::ChangeSet::Object> shared(Result<T> object) {
  if (!object.ok()) {
    return std::move(object).status();
  }
  return std::make_shared<const T>(*std::move(object));
}

}  // namespace

void encode(const model::ChangeSet::Object& object, v1::StoreObject* out) {
  std::visit([out](const auto& one) { encode_one(*one, out); }, object);
}

Result<model::ChangeSet::Object> decode(const v1::StoreObject& in) {
  switch (in.object_case()) {
    case v1::StoreObject::kCluster:
      return shared(decode(in.cluster()));
    case v1::StoreObject::kNode:
      return shared(decode(in.node()));
    case v1::StoreObject::kService:
      return shared(decode(in.service()));
    case v1::StoreObject::kRevision:
      return shared(decode(in.revision()));
    case v1::StoreObject::kTask:
      return shared(decode(in.task()));
    case v1::StoreObject::OBJECT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("an object is of a kind this version does not know");
}

}  // namespace swarm::wire
