#include "model/labels.h"

#include <algorithm>

namespace swarm::model {

namespace {

bool is_before(const Labels::value_type& label, std::string_view key) {
  return label.first < key;
}

}  // namespace

Labels::Labels(std::initializer_list<value_type> labels) {
  for (const auto& [key, value] : labels) {
    (*this)[key] = value;
  }
}

std::optional<Labels> Labels::from(std::vector<value_type> labels, std::string& repeated) {
  std::sort(labels.begin(), labels.end());
  const auto twice = std::adjacent_find(
      labels.begin(), labels.end(),
      [](const value_type& a, const value_type& b) { return a.first == b.first; });
  if (twice != labels.end()) {
    repeated = twice->first;
    return std::nullopt;
  }
  Labels made;
  made.labels_ = std::move(labels);
  return made;
}

Labels::const_iterator Labels::find(std::string_view key) const {
  const auto found = std::lower_bound(labels_.begin(), labels_.end(), key, is_before);
  return found != labels_.end() && found->first == key ? found : labels_.end();
}

std::string& Labels::operator[](std::string_view key) {
  auto found = std::lower_bound(labels_.begin(), labels_.end(), key, is_before);
  if (found == labels_.end() || found->first != key) {
    found = labels_.emplace(found, key, std::string());
  }
  return found->second;
}

size_t Labels::erase(std::string_view key) {
  const const_iterator found = find(key);
  if (found == end()) {
    return 0;
  }
  labels_.erase(found);
  return 1;
}

}  // namespace swarm::model
