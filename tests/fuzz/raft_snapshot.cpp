#include "base/crc32c.h"
#include "fuzz/target.h"
#include "raft/core/byte_codec.h"
#include "raft/log/snapshot_file.h"
#include "simulation/simple_cipher.h"
#include "support/simulated_file_system.h"

// The input is a byte that says whether to make the checksums of what follows right, and the file.
namespace swarm::fuzz {

namespace {

constexpr char kAsItIs = 0;
constexpr char kSeal = 1;
constexpr size_t kMagicBytes = 8;

const std::filesystem::path kFolder = "/snapshots";

void put_at(std::string& bytes, size_t offset, uint32_t value) {
  std::string encoded;
  raft::put_u32(encoded, value);
  bytes.replace(offset, encoded.size(), encoded);
}

void seal(std::string& file) {
  if (file.size() < kMagicBytes + 4) {
    return;
  }
  size_t offset = kMagicBytes + 4;
  const size_t meta = raft::get_u32(file, kMagicBytes);
  if (meta > file.size() || file.size() - meta < offset + 4) {
    return;
  }
  offset += meta;
  uint32_t crc = crc32c(0, std::string_view(file).substr(0, offset));
  put_at(file, offset, crc);
  offset += 4;
  while (file.size() - offset >= 8) {
    const uint32_t size = raft::get_u32(file, offset);
    const size_t bytes = size == 0xffffffff ? 8 : size;  // the end counts the chunks
    if (bytes > file.size() - offset - 8) {
      return;
    }
    crc = crc32c(crc, std::string_view(file).substr(offset + 8, bytes));
    put_at(file, offset + 4, crc);
    offset += 8 + bytes;
  }
}

struct Contents {
  raft::SnapshotMeta meta;
  std::vector<std::string> chunks;

  bool operator==(const Contents&) const = default;
};

Result<Contents> read(FileSystem& files, const std::filesystem::path& path,
                      raft::PayloadCipher& cipher) {
  SWARM_ASSIGN_OR_RETURN(const auto reader, raft::SnapshotReader::open(files, path, cipher));
  Contents contents;
  contents.meta = reader->meta();
  SWARM_ASSIGN_OR_RETURN(contents.chunks, read_snapshot(*reader));
  return contents;
}

Status write(FileSystem& files, const Contents& contents, raft::PayloadCipher& cipher) {
  SWARM_ASSIGN_OR_RETURN(const auto writer,
                         raft::SnapshotWriter::create(files, kFolder, contents.meta, cipher));
  for (const std::string& chunk : contents.chunks) {
    SWARM_RETURN_IF_ERROR(writer->append(chunk));
  }
  return writer->finish();
}

std::string file_of(const Contents& contents) {
  test::SimulatedFileSystem files;
  test::SimpleCipher cipher;
  const auto path = raft::snapshot_path(kFolder, contents.meta.index, contents.meta.term);
  const Status written = write(files, contents, cipher);
  return written.ok() ? *read_file(files, path, 1 << 20) : std::string(written.message());
}

}  // namespace

Result<bool> run_raft_snapshot(std::string_view input) {
  if (input.empty()) {
    return false;
  }
  std::string file(input.substr(1));
  if (input.front() == kSeal) {
    seal(file);
  }
  test::SimulatedFileSystem files;
  test::SimpleCipher cipher;
  SWARM_RETURN_IF_ERROR(files.make_directories(kFolder));
  const std::filesystem::path path = kFolder / "snapshot-of-somebody.snap";
  SWARM_RETURN_IF_ERROR(replace_file(files, path, file));
  const Result<Contents> contents = read(files, path, cipher);
  if (!contents.ok()) {
    return refused(contents.status(), absl::IsDataLoss);
  }
  SWARM_RETURN_IF_ERROR(write(files, *contents, cipher));
  SWARM_ASSIGN_OR_RETURN(
      const Contents again,
      read(files, raft::snapshot_path(kFolder, contents->meta.index, contents->meta.term), cipher));
  return accepted(again == *contents, "a snapshot comes back as another");
}

std::vector<std::string> raft_snapshot_seeds() {
  Contents contents;
  contents.meta.index = raft::Index(20);
  contents.meta.term = raft::Term(3);
  std::vector<std::string> seeds = {kSeal + file_of(contents)};
  contents.meta.configuration.members = {{raft::MemberId(1), "127.0.0.1:2377", false},
                                         {raft::MemberId(2), "127.0.0.2:2377", true}};
  contents.meta.configuration.removed = {raft::MemberId(4)};
  contents.chunks = {std::string(100, 'x'), "", "a chunk"};
  seeds.push_back(kSeal + file_of(contents));
  seeds.push_back(kAsItIs + file_of(contents));
  return seeds;
}

}  // namespace swarm::fuzz
