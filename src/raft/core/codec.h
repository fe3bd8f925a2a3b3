#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/core/byte_codec.h"
#include "raft/core/configuration.h"
#include "raft/core/messages.h"

namespace swarm::raft {

// The bytes of messages, entries and configurations, on the wire and on disk. Decoding takes any
// bytes without harm: DATA_LOSS when they are not what was encoded. docs/formats/raft-log.md
// describes them.

std::string encode(const Message& message);
Result<Message> decode_message(std::string_view bytes);

std::string encode(const Configuration& configuration);
Result<Configuration> decode_configuration(std::string_view bytes);

std::string encode(const SnapshotMeta& meta);
Result<SnapshotMeta> decode_snapshot_meta(std::string_view bytes);

// Entries with contiguous indexes.
void write_entries(ByteWriter& writer, std::span<const Entry> entries);
// `first` is the index of the first of them. A membership entry is checked to decode.
std::vector<Entry> read_entries(ByteReader& reader, Index first);

}  // namespace swarm::raft
