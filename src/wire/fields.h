#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/service.h"
#include "proto/objects.pb.h"

// The pieces every codec needs. For the sources of this module only: it brings in protobuf.
namespace swarm::wire {

using Bytes = google::protobuf::RepeatedPtrField<std::string>;
using LabelList = google::protobuf::RepeatedPtrField<v1::Label>;

inline int64_t to_ns(Duration duration) {
  return duration.count();
}
inline int64_t to_ns(WallTime time) {
  return time.time_since_epoch().count();
}
inline Duration duration_of(int64_t ns) {
  return Duration(ns);
}
inline WallTime time_of(int64_t ns) {
  return WallTime(Duration(ns));
}

inline void encode_list(const std::vector<std::string>& list, Bytes* out) {
  out->Assign(list.begin(), list.end());
}
inline std::vector<std::string> decode_list(const Bytes& in) {
  return {in.begin(), in.end()};
}

void encode_labels(const model::Labels& labels, LabelList* out);
Result<model::Labels> decode_labels(const LabelList& in);

void encode(const model::Meta& meta, v1::Meta* out);
model::Meta decode(const v1::Meta& in);

// Every element of a repeated field, each through `decode_one`.
template <class Value, class Item>
Result<std::vector<Value>> decode_all(const google::protobuf::RepeatedPtrField<Item>& field,
                                      Result<Value> (*decode_one)(const Item&)) {
  std::vector<Value> values;
  values.reserve(field.size());
  for (const Item& item : field) {
    SWARM_ASSIGN_OR_RETURN(Value value, decode_one(item));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace swarm::wire
