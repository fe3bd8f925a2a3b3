#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"

namespace swarm {

// An optional value in a block of memory of its own: for what few objects have, since an absent one
// takes eight bytes however large T is. Copies are deep. An absent value reads as T() and equals
// it.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(std::nullopt_t) {}                                           // NOLINT(*-explicit-*)
  Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT(*-explicit-*)
  Boxed(const Boxed& other) : value_(other ? std::make_unique<T>(*other) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    Boxed copy(other);
    value_.swap(copy.value_);
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;

  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }

  const T& operator*() const { return value_ != nullptr ? *value_ : absent(); }
  const T* operator->() const { return &**this; }
  // Makes one if there is none.
  T& edit() {
    if (value_ == nullptr) {
      value_ = std::make_unique<T>();
    }
    return *value_;
  }
  void reset() { value_.reset(); }
  void drop_if_default() {
    if (**this == absent()) {
      reset();
    }
  }

  friend bool operator==(const Boxed& a, const Boxed& b) { return *a == *b; }

 private:
  static const T& absent() {
    static const T value{};
    return value;
  }

  std::unique_ptr<T> value_;
};

}  // namespace swarm
