#include <optional>
#include <string>

#include "base/units.h"
#include "model/text_check.h"
#include "model/validate.h"

namespace swarm::model {
namespace {

constexpr std::string_view kRightForm =
    "use [PUBLISHED:]TARGET[/tcp|udp] or "
    "published=PORT,target=PORT[,protocol=tcp|udp][,mode=ingress|host]";

Status bad_port(std::string_view text, std::string_view why) {
  return invalid("published port", text, why, kRightForm);
}

std::optional<uint16_t> port_number(std::string_view text) {
  Result<int64_t> number = parse_integer(text, 1, 65'535, "port");
  if (!number.ok()) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(*number);
}

Result<PublishedPort> parse_short(std::string_view text) {
  PublishedPort port;
  std::string_view numbers = text;
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::optional<PortProtocol> protocol = parse_port_protocol(text.substr(slash + 1));
    if (!protocol) {
      return bad_port(text, "has an unknown protocol");
    }
    port.protocol = *protocol;
    numbers = text.substr(0, slash);
  }
  std::string_view target = numbers;
  if (const size_t colon = numbers.find(':'); colon != std::string_view::npos) {
    if (numbers.find(':', colon + 1) != std::string_view::npos) {
      return bad_port(text, "has a host address, which is not supported");
    }
    const std::optional<uint16_t> published = port_number(numbers.substr(0, colon));
    if (!published) {
      return bad_port(text, "has a published port that is not a number from 1 to 65535");
    }
    port.published = *published;
    target = numbers.substr(colon + 1);
  }
  const std::optional<uint16_t> number = port_number(target);
  if (!number) {
    return bad_port(text, "has a target port that is not a number from 1 to 65535");
  }
  port.target = *number;
  return port;
}

struct LongForm {
  std::optional<uint16_t> target;
  std::optional<uint16_t> published;
  std::optional<PortProtocol> protocol;
  std::optional<PublishMode> mode;
};

// Sets a field that is still empty. False for a value that cannot be.
template <class T>
bool set_once(std::optional<T>& field, std::optional<T> value) {
  if (field || !value) {
    return false;
  }
  field = value;
  return true;
}

Status set_field(LongForm& form, std::string_view text, std::string_view key,
                 std::string_view value) {
  bool is_set = false;
  if (key == "target") {
    is_set = set_once(form.target, port_number(value));
  } else if (key == "published") {
    // 0 asks for a port of the swarm's choice, like leaving it out.
    is_set = set_once(form.published, value == "0" ? uint16_t{0} : port_number(value));
  } else if (key == "protocol") {
    is_set = set_once(form.protocol, parse_port_protocol(value));
  } else if (key == "mode") {
    is_set = set_once(form.mode, parse_publish_mode(value));
  } else {
    return bad_port(text, "has the unknown key " + quoted(key));
  }
  if (!is_set) {
    return bad_port(text, "has a bad or repeated value for " + std::string(key));
  }
  return absl::OkStatus();
}

Result<PublishedPort> parse_long(std::string_view text) {
  LongForm form;
  std::string_view rest = text;
  while (true) {
    const size_t comma = rest.find(',');
    const std::string_view field = rest.substr(0, comma);
    const size_t equal = field.find('=');
    if (equal == std::string_view::npos) {
      return bad_port(text, "has a field without \"=\"");
    }
    SWARM_RETURN_IF_ERROR(set_field(form, text, field.substr(0, equal), field.substr(equal + 1)));
    if (comma == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(comma + 1);
  }
  if (!form.target) {
    return bad_port(text, "has no target port");
  }
  return PublishedPort{*form.target, form.published.value_or(0),
                       form.protocol.value_or(PortProtocol::tcp),
                       form.mode.value_or(PublishMode::ingress)};
}

}  // namespace

Result<PublishedPort> parse_port(std::string_view text) {
  return text.find('=') == std::string_view::npos ? parse_short(text) : parse_long(text);
}

std::string format_port(const PublishedPort& port) {
  return "*:" + std::to_string(port.published) + "->" + std::to_string(port.target) + "/" +
         std::string(to_string(port.protocol));
}

}  // namespace swarm::model
