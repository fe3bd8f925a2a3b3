#include "manager/node_record.h"

#include <charconv>

namespace swarm::manager {

namespace {

constexpr std::string_view kFileName = "node";
constexpr std::string_view kMarkName = "node.unfinished";
constexpr size_t kMaxBytes = 64 * 1024;

Status apply_line(std::string_view key, std::string value, NodeRecord& record) {
  if (key == "swarm") {
    record.swarm = model::SwarmId(std::move(value));
  } else if (key == "node") {
    record.node = model::NodeId(std::move(value));
  } else if (key == "role") {
    const std::optional<model::Role> role = model::parse_role(value);
    if (!role.has_value()) {
      return absl::DataLossError("unknown role \"" + value + "\"");
    }
    record.role = *role;
  } else if (key == "member") {
    uint64_t member = 0;
    const char* const end = value.data() + value.size();
    if (std::from_chars(value.data(), end, member).ptr != end || value.empty()) {
      return absl::DataLossError("no member id: \"" + value + "\"");
    }
    record.member = model::MemberId(member);
  } else if (key == "listen") {
    record.listen_address = std::move(value);
  } else if (key == "advertise") {
    record.advertise_address = std::move(value);
  } else if (key == "runtime") {
    record.runtime = std::move(value);
  } else if (key == "engine") {
    record.engine = std::move(value);
  } else if (key == "manager") {
    record.managers.push_back(std::move(value));
  } else {
    return absl::DataLossError("unknown entry \"" + std::string(key) + "\"");
  }
  return absl::OkStatus();
}

}  // namespace

Status begin_entry(FileSystem& files, const std::filesystem::path& directory) {
  return replace_file(files, directory / kMarkName, "entering a swarm\n");
}

Status save_node_record(FileSystem& files, const std::filesystem::path& directory,
                        const NodeRecord& record) {
  std::string text;
  const auto line = [&text](std::string_view key, std::string_view value) {
    text.append(key).append(" ").append(value).append("\n");
  };
  line("swarm", record.swarm.value());
  line("node", record.node.value());
  line("role", model::to_string(record.role));
  line("member", std::to_string(record.member.value()));
  line("listen", record.listen_address);
  line("advertise", record.advertise_address);
  if (!record.runtime.empty()) {
    line("runtime", record.runtime);
  }
  if (!record.engine.empty()) {
    line("engine", record.engine);
  }
  for (const std::string& manager : record.managers) {
    line("manager", manager);
  }
  SWARM_RETURN_IF_ERROR(replace_file(files, directory / kFileName, text));
  return remove_mark(files, directory);
}

Result<NodeRecord> load_node_record(FileSystem& files, const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kFileName;
  SWARM_ASSIGN_OR_RETURN(const std::string text, read_file(files, path, kMaxBytes));
  NodeRecord record;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) {
      return absl::DataLossError(path.string() + ": line without a value: " + std::string(line));
    }
    const Status status =
        apply_line(line.substr(0, space), std::string(line.substr(space + 1)), record);
    if (!status.ok()) {
      return absl::DataLossError(path.string() + ": " + std::string(status.message()));
    }
  }
  if (record.swarm.is_empty() || record.node.is_empty()) {
    return absl::DataLossError(path.string() + " names no swarm or no node");
  }
  return record;
}

Status begin_leaving(FileSystem& files, const std::filesystem::path& directory) {
  const Status status = files.rename(directory / kFileName, directory / kMarkName);
  SWARM_RETURN_IF_ERROR(absl::IsNotFound(status) ? absl::OkStatus() : status);
  return files.sync_directory(directory);
}

bool is_unfinished(FileSystem& files, const std::filesystem::path& directory) {
  return files.exists(directory / kMarkName);
}

Status remove_mark(FileSystem& files, const std::filesystem::path& directory) {
  if (!is_unfinished(files, directory)) {
    return absl::OkStatus();
  }
  SWARM_RETURN_IF_ERROR(files.remove(directory / kMarkName));
  return files.sync_directory(directory);
}

}  // namespace swarm::manager
