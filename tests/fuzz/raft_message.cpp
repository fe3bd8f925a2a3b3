#include "fuzz/target.h"
#include "raft/core/codec.h"

namespace swarm::fuzz {

namespace {

raft::Entry entry(uint64_t index, raft::EntryKind kind, std::string data) {
  raft::Entry entry{raft::Term(3), raft::Index(index), kind, nullptr};
  if (kind != raft::EntryKind::noop) {
    entry.data = std::make_shared<const std::string>(std::move(data));
  }
  return entry;
}

raft::Configuration configuration() {
  raft::Configuration configuration;
  configuration.members = {{raft::MemberId(1), "127.0.0.1:2377", false},
                           {raft::MemberId(2), "127.0.0.2:2377", true}};
  configuration.outgoing = {{raft::MemberId(3), "127.0.0.3:2377", false}};
  configuration.removed = {raft::MemberId(4), raft::MemberId(5)};
  return configuration;
}

template <size_t Kind = 0>
void add_empty_ones(std::vector<std::string>& seeds) {
  if constexpr (Kind < std::variant_size_v<raft::Message>) {
    seeds.push_back(encode(raft::Message(std::in_place_index<Kind>)));
    add_empty_ones<Kind + 1>(seeds);
  }
}

}  // namespace

Result<bool> run_raft_message(std::string_view input) {
  const Result<raft::Message> message = raft::decode_message(input);
  if (!message.ok()) {
    return refused(message.status(), absl::IsDataLoss);
  }
  const std::string bytes = encode(*message);
  const Result<raft::Message> again = raft::decode_message(bytes);
  return accepted(again.ok() && encode(*again) == bytes, "a message comes back as another");
}

std::vector<std::string> raft_message_seeds() {
  std::vector<std::string> seeds;
  add_empty_ones(seeds);
  raft::AppendEntries append{raft::Term(3), raft::Index(6), raft::Term(2), raft::Index(5), {}};
  append.entries = {entry(7, raft::EntryKind::noop, ""),
                    entry(8, raft::EntryKind::command, std::string(200, 'c')),
                    entry(9, raft::EntryKind::membership, encode(configuration()))};
  seeds.push_back(encode(raft::Message(append)));
  raft::SnapshotPart part;
  part.term = raft::Term(3);
  part.meta = {raft::Index(9), raft::Term(3), configuration()};
  part.data = "part of a snapshot";
  seeds.push_back(encode(raft::Message(part)));
  seeds.push_back(
      encode(raft::Message(raft::AddressAnnouncement{raft::Term(3), "127.0.0.9:2377"})));
  return seeds;
}

}  // namespace swarm::fuzz
