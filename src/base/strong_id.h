#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace swarm {

// A string or number that names one kind of thing, so that a task id cannot be passed for a node
// id.
template <class Tag, class Value = std::string>
class StrongId {
 public:
  using value_type = Value;

  StrongId() = default;
  explicit StrongId(Value value) : value_(std::move(value)) {}

  const Value& value() const { return value_; }
  bool is_empty() const { return value_ == Value{}; }

  auto operator<=>(const StrongId&) const = default;

  friend std::ostream& operator<<(std::ostream& out, const StrongId& id) {
    return out << id.value_;
  }

 private:
  Value value_{};
};

}  // namespace swarm

template <class Tag, class Value>
struct std::hash<swarm::StrongId<Tag, Value>> {
  size_t operator()(const swarm::StrongId<Tag, Value>& id) const {
    return std::hash<Value>{}(id.value());
  }
};
