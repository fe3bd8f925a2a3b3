#include "raft/log/snapshot_file.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "base/crc32c.h"
#include "raft/core/codec.h"
#include "raft/core/mutants.h"
#include "raft/log/log_scan.h"

namespace swarm::raft {

namespace {

constexpr std::string_view kMagic = "SWRMSNP1";
constexpr size_t kFrameHeader = 8;
// In place of a length: the end, with the number of chunks.
constexpr uint32_t kEnd = std::numeric_limits<uint32_t>::max();
constexpr size_t kEndBytes = kFrameHeader + 8;
// One sync of the whole file at the end would stall the log on the same disk; one for each chunk
// would cost more than the chunk.
constexpr uint64_t kSyncBytes = 256 << 10;

}  // namespace

std::filesystem::path snapshot_path(const std::filesystem::path& directory, Index index,
                                    Term term) {
  char name[64];
  std::snprintf(name, sizeof(name), "snapshot-%016llx-%016llx.snap",
                static_cast<unsigned long long>(index.value()),
                static_cast<unsigned long long>(term.value()));
  return directory / name;
}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(
    FileSystem& files, const std::filesystem::path& directory, const SnapshotMeta& meta,
    PayloadCipher& cipher) {
  SWARM_RETURN_IF_ERROR(files.make_directories(directory));
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(files, cipher));
  writer->path_ = snapshot_path(directory, meta.index, meta.term);
  writer->beside_ = writer->path_;
  writer->beside_ += ".part";
  SWARM_ASSIGN_OR_RETURN(writer->file_, files.open(writer->beside_, OpenMode::create_or_open));
  SWARM_RETURN_IF_ERROR(writer->file_->truncate(0));
  const std::string encoded = encode(meta);
  std::string header(kMagic);
  put_u32(header, static_cast<uint32_t>(encoded.size()));
  header += encoded;
  writer->crc_ = crc32c(0, header);
  put_u32(header, writer->crc_);
  SWARM_RETURN_IF_ERROR(writer->write(header));
  return writer;
}

SnapshotWriter::~SnapshotWriter() {
  if (!is_finished_ && file_ != nullptr) {
    file_.reset();
    files_.remove(beside_).IgnoreError();  // what stays is replaced by the next attempt
  }
}

Status SnapshotWriter::write(std::string_view bytes) {
  SWARM_RETURN_IF_ERROR(file_->write_at(offset_, bytes));
  offset_ += bytes.size();
  return absl::OkStatus();
}

Status SnapshotWriter::append(std::string_view chunk) {
  const std::string sealed = cipher_.seal(chunk);
  std::string frame;
  frame.reserve(kFrameHeader + sealed.size());
  crc_ = crc32c(crc_, sealed);
  put_u32(frame, static_cast<uint32_t>(sealed.size()));
  put_u32(frame, crc_);
  frame += sealed;
  ++chunks_;
  SWARM_RETURN_IF_ERROR(write(frame));
  return offset_ - synced_ < kSyncBytes ? absl::OkStatus() : sync();
}

Status SnapshotWriter::sync() {
  synced_ = offset_;
  return SWARM_MUTANT(snapshot_not_synced) ? absl::OkStatus() : file_->sync();
}

Status SnapshotWriter::finish() {
  std::string end;
  put_u32(end, kEnd);
  std::string count;
  put_u64(count, chunks_);
  put_u32(end, crc32c(crc_, count));
  end += count;
  SWARM_RETURN_IF_ERROR(write(end));
  SWARM_RETURN_IF_ERROR(sync());
  file_.reset();
  SWARM_RETURN_IF_ERROR(files_.rename(beside_, path_));
  is_finished_ = true;
  return files_.sync_directory(path_.parent_path());
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(FileSystem& files,
                                                             const std::filesystem::path& path,
                                                             PayloadCipher& cipher) {
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(path, cipher));
  SWARM_ASSIGN_OR_RETURN(reader->file_, files.open(path, OpenMode::read));
  SWARM_ASSIGN_OR_RETURN(reader->size_, reader->file_->size());
  SWARM_ASSIGN_OR_RETURN(std::string header, reader->read(kMagic.size() + 4));
  if (!header.starts_with(kMagic)) {
    return reader->damage("this is not a snapshot");
  }
  SWARM_ASSIGN_OR_RETURN(const std::string meta, reader->read(get_u32(header, kMagic.size())));
  SWARM_ASSIGN_OR_RETURN(const std::string crc, reader->read(4));
  header += meta;
  reader->crc_ = crc32c(0, header);
  Result<SnapshotMeta> decoded = decode_snapshot_meta(meta);
  if (reader->crc_ != get_u32(crc, 0) || !decoded.ok()) {
    return reader->damage("the header is damaged");
  }
  reader->meta_ = *std::move(decoded);
  return reader;
}

Result<std::string> SnapshotReader::read(size_t bytes) {
  if (bytes > size_ - offset_) {
    return damage("the file ends too early");
  }
  std::string buffer(bytes, '\0');
  SWARM_ASSIGN_OR_RETURN(const size_t got, file_->read_at(offset_, buffer));
  if (got != bytes) {
    return damage("the file ends too early");
  }
  offset_ += bytes;
  return buffer;
}

Status SnapshotReader::damage(std::string_view what) const {
  return absl::DataLossError(path_.string() + ": at offset " + std::to_string(offset_) + " " +
                             std::string(what) + ". " + kDamageCure);
}

Result<std::optional<std::string>> SnapshotReader::next() {
  SWARM_ASSIGN_OR_RETURN(const std::string frame, read(kFrameHeader));
  const uint32_t size = get_u32(frame, 0);
  const uint32_t crc = get_u32(frame, 4);
  if (size == kEnd) {
    SWARM_ASSIGN_OR_RETURN(const std::string count, read(kEndBytes - kFrameHeader));
    if (crc != crc32c(crc_, count) || get_u64(count, 0) != chunks_) {
      return damage("the end is damaged");
    }
    if (offset_ != size_) {
      return damage("there is more after the end");
    }
    return std::optional<std::string>();
  }
  SWARM_ASSIGN_OR_RETURN(const std::string sealed, read(size));
  crc_ = crc32c(crc_, sealed);
  if (crc != crc_) {
    return damage("a chunk is damaged");
  }
  ++chunks_;
  Result<std::string> plain = cipher_.open(sealed);
  if (!plain.ok()) {
    return damage("a chunk does not open: " + std::string(plain.status().message()));
  }
  return std::optional<std::string>(*std::move(plain));
}

Result<std::vector<std::filesystem::path>> list_snapshots(FileSystem& files,
                                                          const std::filesystem::path& directory) {
  SWARM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.list(directory));
  std::vector<std::filesystem::path> paths;
  for (const std::string& name : names) {
    if (name.starts_with("snapshot-") && name.ends_with(".snap")) {
      paths.push_back(directory / name);
    }
  }
  // Names hold the index and the term in digits of fixed width.
  std::sort(paths.rbegin(), paths.rend());
  return paths;
}

Result<std::vector<std::string>> read_snapshot(SnapshotReader& reader) {
  std::vector<std::string> chunks;
  while (true) {
    SWARM_ASSIGN_OR_RETURN(std::optional<std::string> chunk, reader.next());
    if (!chunk) {
      return chunks;
    }
    chunks.push_back(*std::move(chunk));
  }
}

Status remove_older_snapshots(FileSystem& files, const std::filesystem::path& directory,
                              const std::filesystem::path& kept) {
  SWARM_ASSIGN_OR_RETURN(const std::vector<std::filesystem::path> paths,
                         list_snapshots(files, directory));
  for (const std::filesystem::path& path : paths) {
    if (path < kept) {
      SWARM_RETURN_IF_ERROR(files.remove(path));
    }
  }
  return absl::OkStatus();
}

}  // namespace swarm::raft
