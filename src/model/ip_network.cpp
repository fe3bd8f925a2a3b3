#include "model/ip_network.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace swarm::model {
namespace {

constexpr size_t kBytes = 16;
constexpr size_t kMappedPrefix = 12;  // bytes before an IPv4 address: ::ffff:0:0/96

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

// Digits only, at most `max`.
std::optional<uint32_t> parse_number(std::string_view text, int base, uint32_t max) {
  uint32_t value = 0;  // from_chars takes no sign for it
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) {
    return std::nullopt;
  }
  return value;
}

using Bytes = std::vector<uint8_t>;

std::optional<Bytes> parse_v4(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 4) {
    return std::nullopt;
  }
  Bytes bytes;
  for (const std::string_view part : parts) {
    // A leading zero means octal to some programs and decimal to others.
    const bool is_ambiguous = part.size() > 1 && part.front() == '0';
    const auto number = is_ambiguous ? std::nullopt : parse_number(part, 10, 255);
    if (!number) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<uint8_t>(*number));
  }
  return bytes;
}

// Groups of an IPv6 address on one side of "::"; the last may be an IPv4 address.
std::optional<Bytes> parse_groups(std::string_view text) {
  Bytes bytes;
  if (text.empty()) {
    return bytes;
  }
  const std::vector<std::string_view> groups = split(text, ':');
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i + 1 == groups.size() && groups[i].find('.') != std::string_view::npos) {
      const std::optional<Bytes> v4 = parse_v4(groups[i]);
      if (!v4) {
        return std::nullopt;
      }
      bytes.insert(bytes.end(), v4->begin(), v4->end());
      continue;
    }
    const auto number = groups[i].size() > 4 ? std::nullopt : parse_number(groups[i], 16, 0xFFFF);
    if (!number) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<uint8_t>(*number >> 8));
    bytes.push_back(static_cast<uint8_t>(*number & 0xFF));
  }
  return bytes;
}

std::optional<Bytes> parse_v6(std::string_view text) {
  const size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    std::optional<Bytes> bytes = parse_groups(text);
    return bytes && bytes->size() == kBytes ? bytes : std::nullopt;
  }
  std::optional<Bytes> front = parse_groups(text.substr(0, gap));
  const std::optional<Bytes> back = parse_groups(text.substr(gap + 2));
  if (!front || !back || front->size() + back->size() > kBytes - 2) {
    return std::nullopt;
  }
  front->resize(kBytes - back->size());
  front->insert(front->end(), back->begin(), back->end());
  return front;
}

}  // namespace

bool IpNetwork::contains(const IpNetwork& other) const {
  if (other.prefix < prefix) {
    return false;
  }
  const size_t whole = prefix / 8;
  if (!std::equal(address.begin(), address.begin() + whole, other.address.begin())) {
    return false;
  }
  const int rest = prefix % 8;
  return rest == 0 || ((address[whole] ^ other.address[whole]) >> (8 - rest)) == 0;
}

std::optional<IpNetwork> parse_ip_network(std::string_view text) {
  const size_t slash = text.find('/');
  std::string_view address = text.substr(0, slash);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  const bool is_v6 = address.find(':') != std::string_view::npos;
  const std::optional<Bytes> bytes = is_v6 ? parse_v6(address) : parse_v4(address);
  if (!bytes) {
    return std::nullopt;
  }
  IpNetwork network;
  if (!is_v6) {
    network.address[10] = network.address[11] = 0xFF;
  }
  std::copy(bytes->begin(), bytes->end(), network.address.end() - bytes->size());
  if (slash != std::string_view::npos) {
    const auto bits = parse_number(text.substr(slash + 1), 10, is_v6 ? 128 : 32);
    if (!bits) {
      return std::nullopt;
    }
    network.prefix = static_cast<uint8_t>(*bits + (is_v6 ? 0 : kMappedPrefix * 8));
  }
  return network;
}

}  // namespace swarm::model
