#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

// Structured logs: a constant phrase (lower case, past tense, no full stop) and fields.
//
//   log::info("task started", {{"task", id.value()}, {"node", node.value()}});
//
// Levels by audience: error needs a person, warning may, info tells the story of a day on one page,
// debug the story of one task. Never log a secret, a token or a key. From any thread. Pure modules
// (raft/core, scheduler, orchestrator, state, control) do not log: they return what happened.
namespace swarm::log {

enum class Level { debug, info, warning, error };

struct Field {
  Field(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  // std::string, std::string_view and the string_view of absl, which is another type here.
  template <class Text>
    requires requires(const Text& text) { std::string(text.data(), text.size()); }
  Field(std::string_view field_name, const Text& text)
      : name(field_name), value(text.data(), text.size()) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view field_name, Number number)
      : name(field_name), value(std::to_string(number)) {}

  std::string_view name;
  std::string value;
};

using Fields = std::initializer_list<Field>;

// Before the first message: where to (stderr) and what to leave out. The default is info.
void set_level(Level level);
// Every message has this field from now on: self=<id>, while node= is whom the message is about.
void set_context(std::string name, std::string value);

void write(Level level, std::string_view phrase, Fields fields);

inline void debug(std::string_view phrase, Fields fields = {}) {
  write(Level::debug, phrase, fields);
}
inline void info(std::string_view phrase, Fields fields = {}) {
  write(Level::info, phrase, fields);
}
inline void warning(std::string_view phrase, Fields fields = {}) {
  write(Level::warning, phrase, fields);
}
inline void error(std::string_view phrase, Fields fields = {}) {
  write(Level::error, phrase, fields);
}

}  // namespace swarm::log
