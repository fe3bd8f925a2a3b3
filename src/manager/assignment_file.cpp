#include "manager/assignment_file.h"

#include <string>
#include <string_view>

#include "wire/bytes.h"

namespace swarm::manager {

namespace {

constexpr std::string_view kHeader = "swarmd agent record 1\n";
constexpr size_t kMaxBytes = 256 << 20;
constexpr size_t kTaskIdBytes = 25;

void append_record(std::string& out, char kind, std::string_view body) {
  out.push_back(kind);
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>((body.size() >> shift) & 0xff));
  }
  out.append(body);
}

// Takes one record from the front of `rest`; DATA_LOSS when it is cut off.
Result<std::string_view> take_record(std::string_view& rest, char& kind) {
  constexpr size_t kPrefix = 5;
  if (rest.size() < kPrefix) {
    return absl::DataLossError("record cut off");
  }
  kind = rest[0];
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) {
    size |= static_cast<size_t>(static_cast<unsigned char>(rest[1 + i])) << (8 * i);
  }
  if (rest.size() - kPrefix < size) {
    return absl::DataLossError("record cut off");
  }
  const std::string_view body = rest.substr(kPrefix, size);
  rest.remove_prefix(kPrefix + size);
  return body;
}

Status apply_record(char kind, std::string_view body, agent::AgentRecord& record) {
  if (kind == 'A') {
    SWARM_ASSIGN_OR_RETURN(model::Assignment assignment, wire::parse_assignment(body));
    record.assigned.push_back(std::move(assignment));
    return absl::OkStatus();
  }
  if (kind == 'R' && body.size() >= kTaskIdBytes) {
    SWARM_ASSIGN_OR_RETURN(model::TaskStatus status,
                           wire::parse_task_status(body.substr(kTaskIdBytes)));
    record.reports.push_back(
        {model::TaskId(std::string(body.substr(0, kTaskIdBytes))), std::move(status)});
    return absl::OkStatus();
  }
  return absl::DataLossError("record of an unknown kind");
}

Result<agent::AgentRecord> parse(std::string_view text) {
  if (!text.starts_with(kHeader)) {
    return absl::DataLossError("not an agent record");
  }
  text.remove_prefix(kHeader.size());
  agent::AgentRecord record;
  while (!text.empty()) {
    char kind = 0;
    SWARM_ASSIGN_OR_RETURN(const std::string_view body, take_record(text, kind));
    SWARM_RETURN_IF_ERROR(apply_record(kind, body, record));
  }
  return record;
}

}  // namespace

AssignmentFile::AssignmentFile(FileSystem& files, std::filesystem::path path)
    : files_(files), path_(std::move(path)) {}

Result<agent::AgentRecord> AssignmentFile::load() {
  const Result<std::string> text = read_file(files_, path_, kMaxBytes);
  if (absl::IsNotFound(text.status())) {
    return agent::AgentRecord{};
  }
  SWARM_RETURN_IF_ERROR(text.status());
  Result<agent::AgentRecord> record = parse(*text);
  if (!record.ok()) {
    return absl::DataLossError(path_.string() + ": " + std::string(record.status().message()));
  }
  return record;
}

Status AssignmentFile::save(const agent::AgentRecord& record) {
  std::string text(kHeader);
  for (const model::Assignment& assignment : record.assigned) {
    append_record(text, 'A', wire::to_bytes(assignment));
  }
  for (const model::TaskReport& report : record.reports) {
    if (report.task.value().size() != kTaskIdBytes) {
      return absl::InvalidArgumentError("task id of " + std::to_string(report.task.value().size()) +
                                        " characters");
    }
    append_record(text, 'R', report.task.value() + wire::to_bytes(report.status));
  }
  return replace_file(files_, path_, text);
}

}  // namespace swarm::manager
