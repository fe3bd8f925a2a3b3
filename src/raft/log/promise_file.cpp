#include "raft/log/promise_file.h"

#include <array>
#include <utility>

#include "base/crc32c.h"
#include "raft/core/byte_codec.h"
#include "raft/log/log_scan.h"

namespace swarm::raft {

namespace {

constexpr std::string_view kMagic = "SWRMPRM1";
constexpr size_t kSlotBytes = 512;
// A page apart: a torn write of one slot does not reach the other.
constexpr std::array<uint64_t, 2> kSlots = {0, 4096};
constexpr size_t kFileBytes = 8192;
constexpr size_t kMaxRefusal = 400;

struct Slot {
  uint64_t sequence = 0;
  Promises promises;
};

std::string encode(const Slot& slot) {
  ByteWriter writer;
  writer.number(slot.sequence);
  writer.number(slot.promises.member.value());
  writer.number(slot.promises.log);
  writer.number(slot.promises.hard_state.term.value());
  writer.number(slot.promises.hard_state.vote.value());
  writer.number(slot.promises.hard_state.commit.value());
  writer.text(std::string_view(slot.promises.refusal).substr(0, kMaxRefusal));
  std::string bytes(kMagic);
  bytes += writer.take();
  bytes.resize(kSlotBytes - 4, '\0');
  put_u32(bytes, crc32c(0, bytes));
  return bytes;
}

std::optional<Slot> decode(std::string_view bytes) {
  if (bytes.size() < kSlotBytes || !bytes.starts_with(kMagic) ||
      crc32c(0, bytes.substr(0, kSlotBytes - 4)) != get_u32(bytes, kSlotBytes - 4)) {
    return std::nullopt;
  }
  ByteReader reader(bytes.substr(kMagic.size(), kSlotBytes - 4 - kMagic.size()));
  Slot slot;
  slot.sequence = reader.number();
  slot.promises.member = MemberId(reader.number());
  slot.promises.log = reader.number();
  slot.promises.hard_state.term = Term(reader.number());
  slot.promises.hard_state.vote = MemberId(reader.number());
  slot.promises.hard_state.commit = Index(reader.number());
  slot.promises.refusal = reader.text();
  return reader.has_failed() ? std::nullopt : std::optional(std::move(slot));
}

}  // namespace

PromiseFile::PromiseFile(FileSystem& files, std::filesystem::path path)
    : files_(files), path_(std::move(path)) {}

Result<std::optional<Promises>> PromiseFile::read() {
  if (!files_.exists(path_)) {
    return std::nullopt;
  }
  const Result<std::string> read = read_file(files_, path_, kFileBytes);
  // One that is too long is none of ours.
  SWARM_RETURN_IF_ERROR(absl::IsResourceExhausted(read.status()) ? absl::OkStatus()
                                                                 : read.status());
  const std::string bytes = read.ok() ? *read : "";
  std::optional<Slot> newest;
  for (const uint64_t at : kSlots) {
    std::optional<Slot> slot =
        at < bytes.size() ? decode(std::string_view(bytes).substr(at, kSlotBytes)) : std::nullopt;
    if (slot && (!newest || slot->sequence > newest->sequence)) {
      newest = std::move(slot);
    }
  }
  if (!newest) {
    return absl::DataLossError(path_.string() + " is damaged, so nobody knows what this manager " +
                               "promised. " + kDamageCure);
  }
  sequence_ = newest->sequence;
  SWARM_ASSIGN_OR_RETURN(file_, files_.open(path_, OpenMode::write));
  return std::move(newest->promises);
}

Status PromiseFile::write(const Promises& promises) {
  const uint64_t sequence = sequence_ + 1;
  const std::string slot = encode({sequence, promises});
  if (file_ == nullptr) {
    SWARM_RETURN_IF_ERROR(files_.make_directories(path_.parent_path()));
    std::string bytes(kFileBytes, '\0');
    bytes.replace(kSlots[sequence % kSlots.size()], slot.size(), slot);
    SWARM_RETURN_IF_ERROR(replace_file(files_, path_, bytes));
    SWARM_ASSIGN_OR_RETURN(file_, files_.open(path_, OpenMode::write));
  } else {
    SWARM_RETURN_IF_ERROR(file_->write_at(kSlots[sequence % kSlots.size()], slot));
    SWARM_RETURN_IF_ERROR(file_->sync());
  }
  sequence_ = sequence;
  return absl::OkStatus();
}

}  // namespace swarm::raft
