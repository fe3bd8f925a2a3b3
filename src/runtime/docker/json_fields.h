#pragma once

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

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

// The number a text begins with; 0 for none.
template <class Number>
Number to_number(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// From "NetworkSettings": the engine's default network first; a container of ours has one network
// only.
inline std::string private_address(const nlohmann::json& settings) {
  std::string address = text_field(settings, "IPAddress");
  if (!address.empty()) {
    return address;
  }
  for (const auto& [name, network] : field(settings, "Networks").items()) {
    address = text_field(network, "IPAddress");
    if (!address.empty()) {
      return address;
    }
  }
  return "";
}

}  // namespace swarm::runtime
