#include "base/crc32c.h"
#include "fuzz/target.h"
#include "proto/objects.pb.h"
#include "unit/wire/message_filler.h"
#include "wire/agent_codec.h"
#include "wire/bytes.h"
#include "wire/change_set_codec.h"
#include "wire/snapshot_codec.h"
#include "wire/store_object.h"

namespace swarm::fuzz {

namespace {

constexpr int kVariants = 10;  // each kind of object and message is among them

template <class Message>
std::vector<std::string> filled() {
  std::vector<std::string> seeds;
  for (int variant = 0; variant < kVariants; ++variant) {
    Message message;
    test::MessageFiller(variant).fill(&message);
    seeds.push_back(message.SerializeAsString());
  }
  return seeds;
}

}  // namespace

// ---- entries of the log ----

Result<bool> run_change_set(std::string_view input) {
  const Result<wire::Entry> entry = wire::decode_change_set(input);
  if (!entry.ok()) {
    return refused(entry.status(), absl::IsDataLoss);
  }
  const std::string bytes = wire::encode_change_set(entry->position, entry->changes);
  SWARM_ASSIGN_OR_RETURN(const wire::Entry again, wire::decode_change_set(bytes));
  return accepted(wire::encode_change_set(again.position, again.changes) == bytes,
                  "a change set comes back as another");
}

std::vector<std::string> change_set_seeds() {
  return filled<v1::ChangeSet>();
}

// ---- snapshots of the store ----

namespace {

// The checksums that a row of chunks begins with are made right: the input is what they hold, cut
// where it has the border.
constexpr std::string_view kBorder = "--cut--";

std::vector<std::string> chunks_of(std::string_view input) {
  std::vector<std::string> chunks;
  uint32_t crc = 0;
  while (!input.empty()) {
    const size_t border = std::min(input.find(kBorder), input.size());
    const std::string_view payload = input.substr(0, border);
    input.remove_prefix(std::min(border + kBorder.size(), input.size()));
    crc = crc32c(crc, payload);
    std::string chunk;
    for (int shift = 0; shift < 32; shift += 8) {
      chunk.push_back(static_cast<char>(crc >> shift));
    }
    chunks.push_back(chunk + std::string(payload));
  }
  return chunks;
}

struct Contents {
  model::Position position = 0;
  std::vector<model::ChangeSet::Object> objects;
};

Result<Contents> read(const std::vector<std::string>& chunks) {
  wire::SnapshotReader reader;
  Contents contents;
  for (const std::string& chunk : chunks) {
    SWARM_ASSIGN_OR_RETURN(const std::vector<model::ChangeSet::Object> objects, reader.add(chunk));
    contents.objects.insert(contents.objects.end(), objects.begin(), objects.end());
  }
  SWARM_ASSIGN_OR_RETURN(contents.position, reader.finish());
  return contents;
}

std::vector<std::string> write(const Contents& contents) {
  size_t next = 0;
  wire::SnapshotWriter writer(contents.position, contents.objects.size(),
                              [&] { return contents.objects[next++]; });
  std::vector<std::string> chunks;
  for (std::string chunk = writer.next_chunk(); !chunk.empty(); chunk = writer.next_chunk()) {
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

}  // namespace

Result<bool> run_store_snapshot(std::string_view input) {
  const Result<Contents> contents = read(chunks_of(input));
  if (!contents.ok()) {
    return refused(contents.status(), absl::IsDataLoss);
  }
  const std::vector<std::string> chunks = write(*contents);
  SWARM_ASSIGN_OR_RETURN(const Contents again, read(chunks));
  return accepted(write(again) == chunks, "a snapshot comes back as another");
}

std::vector<std::string> store_snapshot_seeds() {
  Contents contents;
  contents.position = 9;
  for (int variant = 0; variant < kVariants; ++variant) {
    v1::StoreObject message;
    test::MessageFiller(variant).fill(&message);
    Result<model::ChangeSet::Object> object = wire::decode(message);
    if (object.ok()) {
      contents.objects.push_back(*std::move(object));
    }
  }
  std::string whole;
  for (const std::string& chunk : write(contents)) {
    whole += chunk.substr(4);
  }
  std::string in_two = whole;
  in_two.insert(whole.size() / 2, kBorder);
  return {whole, in_two};
}

// ---- between agents and managers, and values in files ----

namespace {

template <class Message>
Result<bool> run_message(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return false;
  }
  const auto value = wire::decode(message);
  if (!value.ok()) {
    return refused(value.status(), absl::IsInvalidArgument, absl::IsUnimplemented);
  }
  Message written;
  wire::encode(*value, &written);
  const auto again = wire::decode(written);
  SWARM_RETURN_IF_ERROR(again.status());
  Message rewritten;
  wire::encode(*again, &rewritten);
  return accepted(rewritten.SerializeAsString() == written.SerializeAsString(),
                  "a message comes back as another");
}

}  // namespace

// The first byte says what the rest is.
Result<bool> run_agent_messages(std::string_view input) {
  if (input.empty()) {
    return false;
  }
  const std::string_view bytes = input.substr(1);
  switch (input.front()) {
    case 'u':
      return run_message<v1::AgentUp>(bytes);
    case 'd':
      return run_message<v1::AgentDown>(bytes);
    case 'a':
      return run_message<v1::AssignmentSet>(bytes);
    default:
      return run_message<v1::MeshTable>(bytes);
  }
}

std::vector<std::string> agent_message_seeds() {
  std::vector<std::string> seeds;
  const auto add = [&seeds](char kind, const std::vector<std::string>& messages) {
    for (const std::string& message : messages) {
      seeds.push_back(kind + message);
    }
  };
  add('u', filled<v1::AgentUp>());
  add('d', filled<v1::AgentDown>());
  add('a', filled<v1::AssignmentSet>());
  add('m', filled<v1::MeshTable>());
  return seeds;
}

}  // namespace swarm::fuzz
