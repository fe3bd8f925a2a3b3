#include "cli/spec_text.h"

#include <algorithm>
#include <optional>

#include "model/validate.h"

namespace swarm::cli {

namespace {

Status invalid(std::string_view kind, std::string_view text, std::string_view cure) {
  return absl::InvalidArgumentError("invalid " + std::string(kind) + " \"" + std::string(text) +
                                    "\": " + std::string(cure));
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == text.npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

std::string_view env_name(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

Status set_mount_option(model::Mount& mount, std::string_view option) {
  constexpr std::string_view kKnown = "known options are type, source, target, readonly";
  const size_t equals = option.find('=');
  const std::string_view key = option.substr(0, equals);
  const std::string_view value = equals == option.npos ? "" : option.substr(equals + 1);
  if (key == "readonly" || key == "ro") {
    if (!value.empty() && value != "true" && value != "1" && value != "false" && value != "0") {
      return invalid("mount option", option, "write readonly, readonly=true or readonly=false");
    }
    mount.read_only = value != "false" && value != "0";
    return absl::OkStatus();
  }
  if (equals == option.npos || value.empty()) {
    return invalid("mount option", option, "write KEY=VALUE; " + std::string(kKnown));
  }
  if (key == "type") {
    const std::optional<model::MountType> type = model::parse_mount_type(value);
    if (!type) {
      return invalid("mount option", option, "known types are bind, volume, tmpfs");
    }
    mount.type = *type;
  } else if (key == "source" || key == "src") {
    mount.source = value;
  } else if (key == "target" || key == "dst" || key == "destination") {
    mount.target = value;
  } else {
    return invalid("mount option", option, kKnown);
  }
  return absl::OkStatus();
}

// One character of a word inside or outside quotes.
class ShellSplitter {
 public:
  Result<std::vector<std::string>> run(std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && quote_ != '\'') {
        if (++i == text.size()) {
          return invalid("command", text, "it ends with a backslash");
        }
        append(text[i]);
      } else {
        take(text[i]);
      }
    }
    if (quote_ != '\0') {
      return invalid("command", text, "a quote is not closed");
    }
    end_word();
    return std::move(words_);
  }

 private:
  void take(char c) {
    if (quote_ != '\0') {
      if (c == quote_) {
        quote_ = '\0';
      } else {
        append(c);
      }
    } else if (c == '\'' || c == '"') {
      quote_ = c;
      is_in_word_ = true;
    } else if (is_space(c)) {
      end_word();
    } else {
      append(c);
    }
  }
  void append(char c) {
    word_.push_back(c);
    is_in_word_ = true;
  }
  void end_word() {
    if (is_in_word_) {
      words_.push_back(std::move(word_));
    }
    word_.clear();
    is_in_word_ = false;
  }

  std::vector<std::string> words_;
  std::string word_;
  bool is_in_word_ = false;  // a quoted empty word is a word
  char quote_ = '\0';
};

}  // namespace

Result<std::vector<std::string>> split_shell_words(std::string_view text) {
  return ShellSplitter().run(text);
}

Result<std::pair<std::string, std::string>> parse_key_value(std::string_view text) {
  const size_t equals = text.find('=');
  const std::string_view key = text.substr(0, equals);
  if (key.empty()) {
    return invalid("value", text, "write KEY=VALUE with a key that is not empty");
  }
  const std::string_view value = equals == text.npos ? "" : text.substr(equals + 1);
  return std::pair(std::string(key), std::string(value));
}

Result<model::Mount> parse_mount(std::string_view text) {
  model::Mount mount;
  for (const std::string_view option : split(text, ',')) {
    SWARM_RETURN_IF_ERROR(set_mount_option(mount, option));
  }
  if (mount.target.empty()) {
    return invalid("mount", text, "target=PATH is missing");
  }
  if (mount.type == model::MountType::bind && mount.source.empty()) {
    return invalid("mount", text, "a bind mount needs source=PATH");
  }
  if (mount.type == model::MountType::tmpfs && !mount.source.empty()) {
    return invalid("mount", text, "a tmpfs mount has no source");
  }
  return mount;
}

Result<std::vector<std::string>> parse_env_file(std::string_view text) {
  std::vector<std::string> entries;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::string_view name = env_name(line);
    if (name.empty() || std::any_of(name.begin(), name.end(), is_space)) {
      return invalid("line", line, "write NAME=VALUE with no spaces in the name");
    }
    entries.emplace_back(line);
  }
  return entries;
}

void set_env(std::vector<std::string>& env, std::string_view name_and_value) {
  const std::string_view name = env_name(name_and_value);
  for (std::string& entry : env) {
    if (env_name(entry) == name) {
      entry = name_and_value;
      return;
    }
  }
  env.emplace_back(name_and_value);
}

void set_mount(std::vector<model::Mount>& mounts, model::Mount mount) {
  for (model::Mount& existing : mounts) {
    if (existing.target == mount.target) {
      existing = std::move(mount);
      return;
    }
  }
  mounts.push_back(std::move(mount));
}

void add_unless_there(std::vector<std::string>& list, const std::string& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) {
    list.push_back(value);
  }
}

bool is_same_constraint(std::string_view a, std::string_view b) {
  const Result<model::Constraint> left = model::parse_constraint(a);
  const Result<model::Constraint> right = model::parse_constraint(b);
  return left.ok() && right.ok() ? *left == *right : a == b;
}

}  // namespace swarm::cli
