#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarm::model {

// Keys with their values: few, and read far more often than changed. In the order of the keys in
// one block of memory, since hundreds of thousands of objects have a handful each: a std::map takes
// 90 bytes more for the first one.
class Labels {
 public:
  using value_type = std::pair<std::string, std::string>;
  using const_iterator = std::vector<value_type>::const_iterator;
  using iterator = const_iterator;

  Labels() = default;
  // Of labels that have the same key, one stays.
  Labels(std::initializer_list<value_type> labels);
  // Nothing when a key occurs twice; the key is in `repeated` then.
  static std::optional<Labels> from(std::vector<value_type> labels, std::string& repeated);

  const_iterator begin() const { return labels_.begin(); }
  const_iterator end() const { return labels_.end(); }
  size_t size() const { return labels_.size(); }
  bool empty() const { return labels_.empty(); }

  const_iterator find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != end(); }
  // The value of the key, which is there afterwards.
  std::string& operator[](std::string_view key);
  // How many there were.
  size_t erase(std::string_view key);

  bool operator==(const Labels&) const = default;

 private:
  std::vector<value_type> labels_;
};

}  // namespace swarm::model
