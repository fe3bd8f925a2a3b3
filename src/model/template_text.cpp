#include "model/template_text.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "model/text_check.h"

namespace swarm::model {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kLabels = ".Service.Labels";
constexpr std::string_view kKnown =
    "known are .Service.ID, .Service.Name, .Service.Labels.KEY, .Node.ID, .Node.Hostname, "
    ".Node.Platform.OS, .Node.Platform.Architecture, .Task.ID, .Task.Name and .Task.Slot; "
    "write {{\"{{\"}} for the two braces themselves";

constexpr std::pair<std::string_view, std::string TemplateValues::*> kFields[] = {
    {".Service.ID", &TemplateValues::service_id},
    {".Service.Name", &TemplateValues::service_name},
    {".Node.ID", &TemplateValues::node_id},
    {".Node.Hostname", &TemplateValues::node_hostname},
    {".Node.Platform.OS", &TemplateValues::node_os},
    {".Node.Platform.Architecture", &TemplateValues::node_architecture},
    {".Task.ID", &TemplateValues::task_id},
    {".Task.Name", &TemplateValues::task_name},
    {".Task.Slot", &TemplateValues::task_slot},
};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The text between two quotes, which holds no quote itself.
std::optional<std::string_view> quoted_text(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  const std::string_view inside = is_quoted ? text.substr(1, text.size() - 2) : "";
  return is_quoted && inside.find('"') == inside.npos ? std::optional(inside) : std::nullopt;
}

// KEY of ".Service.Labels.KEY" and of `index .Service.Labels "KEY"`.
std::optional<std::string_view> label_key(std::string_view expression) {
  if (expression.starts_with(kLabels)) {
    const std::string_view rest = expression.substr(kLabels.size());
    const bool is_key = rest.size() > 1 && rest.front() == '.' &&
                        rest.find_first_of(" \t\"") == std::string_view::npos;
    return is_key ? std::optional(rest.substr(1)) : std::nullopt;
  }
  constexpr std::string_view kIndex = "index ";
  if (!expression.starts_with(kIndex)) {
    return std::nullopt;
  }
  const std::string_view rest = trimmed(expression.substr(kIndex.size()));
  return rest.starts_with(kLabels) ? quoted_text(trimmed(rest.substr(kLabels.size())))
                                   : std::nullopt;
}

std::optional<std::string> value_of(std::string_view expression, const TemplateValues& values) {
  for (const auto& [name, field] : kFields) {
    if (expression == name) {
      return values.*field;
    }
  }
  if (const std::optional<std::string_view> key = label_key(expression)) {
    const auto label = values.service_labels.find(*key);
    return label == values.service_labels.end() ? std::string() : label->second;
  }
  const std::optional<std::string_view> literal = quoted_text(expression);
  return literal ? std::optional(std::string(*literal)) : std::nullopt;
}

// Where the placeholder that begins at `open` ends: the first "}}" outside quotes.
size_t find_close(std::string_view text, size_t open) {
  bool is_in_quotes = false;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '"') {
      is_in_quotes = !is_in_quotes;
    } else if (!is_in_quotes && text.substr(i).starts_with(kClose)) {
      return i;
    }
  }
  return std::string_view::npos;
}

template <class Edit>
void for_each_field(ContainerSpec& container, Edit edit) {
  for (std::string& variable : container.env) {
    edit("environment variable", variable);
  }
  if (!container.overrides->hostname.empty()) {
    edit("hostname", container.overrides.edit().hostname);
  }
  for (Mount& mount : container.mounts) {
    edit("mount source", mount.source);
    edit("mount target", mount.target);
  }
}

}  // namespace

Result<std::string> expand_text(std::string_view field, std::string_view text,
                                const TemplateValues& values) {
  std::string expanded;
  size_t at = 0;
  for (;;) {
    const size_t open = text.find(kOpen, at);
    expanded += text.substr(at, open - at);
    if (open == std::string_view::npos) {
      return expanded;
    }
    const size_t close = find_close(text, open + kOpen.size());
    if (close == std::string_view::npos) {
      return invalid(field, text, "has a placeholder that is not closed", kKnown);
    }
    const size_t begin = open + kOpen.size();
    const std::string_view expression = trimmed(text.substr(begin, close - begin));
    const std::optional<std::string> value = value_of(expression, values);
    if (!value) {
      return invalid(field, text, "has the unknown placeholder " + quoted(expression), kKnown);
    }
    expanded += *value;
    at = close + kClose.size();
  }
}

Result<std::string> expand_with_samples(std::string_view field, std::string_view text) {
  static const TemplateValues kSamples{.service_id = "s",
                                       .service_name = "s",
                                       .service_labels = {},
                                       .node_id = "n",
                                       .node_hostname = "n",
                                       .node_os = "linux",
                                       .node_architecture = "a",
                                       .task_id = "t",
                                       .task_name = "s.1.t",
                                       .task_slot = "1"};
  return expand_text(field, text, kSamples);
}

bool has_placeholders(const ContainerSpec& container) {
  const auto has = [](const std::string& text) { return text.find(kOpen) != text.npos; };
  return std::any_of(container.env.begin(), container.env.end(), has) ||
         has(container.overrides->hostname) ||
         std::any_of(container.mounts.begin(), container.mounts.end(),
                     [&](const Mount& mount) { return has(mount.source) || has(mount.target); });
}

void expand_placeholders(ContainerSpec& container, const TemplateValues& values) {
  for_each_field(container, [&values](std::string_view field, std::string& text) {
    if (Result<std::string> expanded = expand_text(field, text, values); expanded.ok()) {
      text = *std::move(expanded);
    }
  });
}

}  // namespace swarm::model
