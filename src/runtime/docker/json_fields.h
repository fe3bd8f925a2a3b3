#pragma once

#include <nlohmann/json.hpp>
#include <string>

// Reads what an engine says: fields may be absent or null, and both mean "nothing". Only for the
// .cpp files of this module.
namespace swarm::runtime {

inline const nlohmann::json& field(const nlohmann::json& object, const char* name) {
  static const nlohmann::json* const nothing = new nlohmann::json();
  if (!object.is_object()) {
    return *nothing;
  }
  const auto found = object.find(name);
  return found == object.end() ? *nothing : *found;
}

inline std::string text_field(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = field(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

inline int64_t number_field(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = field(object, name);
  return value.is_number() ? value.get<int64_t>() : 0;
}

inline bool flag_field(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = field(object, name);
  return value.is_boolean() && value.get<bool>();
}

}  // namespace swarm::runtime
