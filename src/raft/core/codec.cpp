#include "raft/core/codec.h"

#include <algorithm>
#include <limits>

namespace swarm::raft {

namespace {

constexpr uint64_t kConfigurationVersion = 1;

// Ascending ids only: both sides hold sorted lists.
bool is_sorted(const std::vector<Member>& members) {
  for (size_t i = 1; i < members.size(); ++i) {
    if (!(members[i - 1].id < members[i].id)) {
      return false;
    }
  }
  return true;
}

void write_members(ByteWriter& writer, const std::vector<Member>& members) {
  writer.number(members.size());
  for (const Member& member : members) {
    writer.number(member.id.value());
    writer.text(member.address);
    writer.flag(member.is_learner);
  }
}

std::vector<Member> read_members(ByteReader& reader) {
  std::vector<Member> members(reader.count());
  for (Member& member : members) {
    member.id = MemberId(reader.number());
    member.address = reader.text();
    member.is_learner = reader.flag();
  }
  if (!is_sorted(members)) {
    reader.fail();
  }
  return members;
}

}  // namespace

std::string encode(const Configuration& configuration) {
  ByteWriter writer;
  writer.number(kConfigurationVersion);
  write_members(writer, configuration.members);
  write_members(writer, configuration.outgoing);
  writer.number(configuration.removed.size());
  for (const MemberId id : configuration.removed) {
    writer.number(id.value());
  }
  return writer.take();
}

Result<Configuration> decode_configuration(std::string_view bytes) {
  ByteReader reader(bytes);
  Configuration configuration;
  if (reader.number() != kConfigurationVersion) {
    reader.fail();
  }
  configuration.members = read_members(reader);
  configuration.outgoing = read_members(reader);
  configuration.removed.resize(reader.count());
  for (MemberId& id : configuration.removed) {
    id = MemberId(reader.number());
  }
  // Earlier versions wrote them oldest first.
  std::sort(configuration.removed.begin(), configuration.removed.end());
  SWARM_RETURN_IF_ERROR(reader.finish("a raft configuration"));
  return configuration;
}

std::string encode(const SnapshotMeta& meta) {
  ByteWriter writer;
  writer.number(meta.index.value());
  writer.number(meta.term.value());
  writer.text(encode(meta.configuration));
  return writer.take();
}

Result<SnapshotMeta> decode_snapshot_meta(std::string_view bytes) {
  ByteReader reader(bytes);
  SnapshotMeta meta;
  meta.index = Index(reader.number());
  meta.term = Term(reader.number());
  const std::string_view configuration = reader.text();
  SWARM_RETURN_IF_ERROR(reader.finish("the description of a raft snapshot"));
  SWARM_ASSIGN_OR_RETURN(meta.configuration, decode_configuration(configuration));
  return meta;
}

void write_entries(ByteWriter& writer, std::span<const Entry> entries) {
  writer.number(entries.size());
  for (const Entry& entry : entries) {
    writer.number(entry.term.value());
    writer.number(static_cast<uint64_t>(entry.kind));
    writer.text(entry.data == nullptr ? std::string_view() : std::string_view(*entry.data));
  }
}

std::vector<Entry> read_entries(ByteReader& reader, Index first) {
  std::vector<Entry> entries;
  const size_t count = reader.count();
  if (first.is_empty() || first.value() > std::numeric_limits<uint64_t>::max() / 2) {
    reader.fail();
  }
  for (size_t i = 0; i < count && !reader.has_failed(); ++i) {
    Entry entry;
    entry.term = Term(reader.number());
    entry.index = Index(first.value() + i);
    const uint64_t kind = reader.number();
    const std::string_view data = reader.text();
    if (kind > static_cast<uint64_t>(EntryKind::membership)) {
      reader.fail();
      break;
    }
    entry.kind = static_cast<EntryKind>(kind);
    if (entry.kind == EntryKind::membership && !decode_configuration(data).ok()) {
      reader.fail();
    }
    if (entry.kind != EntryKind::noop) {
      entry.data = std::make_shared<const std::string>(data);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace swarm::raft
