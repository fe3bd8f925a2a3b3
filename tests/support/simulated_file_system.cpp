#include "support/simulated_file_system.h"

#include <algorithm>

namespace swarm::test {

class SimulatedFile final : public File {
 public:
  using Inode = SimulatedFileSystem::Inode;

  SimulatedFile(SimulatedFileSystem& files, std::shared_ptr<Inode> inode,
                std::filesystem::path path)
      : files_(files), inode_(std::move(inode)), path_(std::move(path)) {}

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) override {
    const std::string& bytes = inode_->current;
    if (offset >= bytes.size()) {
      return size_t{0};
    }
    return bytes.copy(buffer.data(), buffer.size(), offset);
  }

  Status write_at(uint64_t offset, std::string_view data) override {
    SWARM_RETURN_IF_ERROR(check());
    if (files_.fails_writes_) {
      return absl::UnavailableError("write " + path_.string() + ": simulated I/O error");
    }
    ++files_.writes_;
    const uint64_t end = offset + data.size();
    if (end > inode_->current.size()) {
      SWARM_RETURN_IF_ERROR(
          files_.check_room(end - inode_->current.size(), "write " + path_.string()));
      inode_->current.resize(end, '\0');
    }
    inode_->current.replace(offset, data.size(), data);
    mark_dirty(offset, end);
    return absl::OkStatus();
  }

  Status sync() override {
    SWARM_RETURN_IF_ERROR(check());
    SWARM_RETURN_IF_ERROR(files_.on_sync(path_.string()));
    inode_->durable.resize(inode_->current.size(), '\0');
    for (const uint64_t page : inode_->dirty_pages) {
      const uint64_t start = page * SimulatedFileSystem::kPageBytes;
      if (start < inode_->current.size()) {
        const std::string_view bytes =
            std::string_view(inode_->current).substr(start, SimulatedFileSystem::kPageBytes);
        inode_->durable.replace(start, bytes.size(), bytes);
      }
    }
    inode_->dirty_pages.clear();
    return absl::OkStatus();
  }

  Result<uint64_t> size() const override { return uint64_t{inode_->current.size()}; }

  Status truncate(uint64_t size) override {
    SWARM_RETURN_IF_ERROR(check());
    const uint64_t old_size = inode_->current.size();
    if (size > old_size) {
      SWARM_RETURN_IF_ERROR(files_.check_room(size - old_size, "truncate " + path_.string()));
    }
    inode_->current.resize(size, '\0');
    mark_dirty(std::min(size, old_size), std::max(size, old_size));
    return absl::OkStatus();
  }

 private:
  Status check() const {
    return inode_->is_stale ? absl::UnavailableError(path_.string() + " was open in a crash")
                            : absl::OkStatus();
  }

  void mark_dirty(uint64_t from, uint64_t to) {
    constexpr uint64_t kPage = SimulatedFileSystem::kPageBytes;
    for (uint64_t page = from / kPage; page * kPage < to; ++page) {
      inode_->dirty_pages.insert(page);
    }
  }

  SimulatedFileSystem& files_;
  const std::shared_ptr<Inode> inode_;
  const std::filesystem::path path_;
};

Result<std::unique_ptr<File>> SimulatedFileSystem::open(const std::filesystem::path& path,
                                                        OpenMode mode) {
  auto found = current_.find(path);
  const bool may_create = mode == OpenMode::create || mode == OpenMode::create_or_open;
  if (found != current_.end() && mode == OpenMode::create) {
    return absl::AlreadyExistsError("open " + path.string() + ": it exists");
  }
  if (found == current_.end()) {
    if (!may_create || !directories_.contains(path.parent_path())) {
      return absl::NotFoundError("open " + path.string() + ": there is no such file");
    }
    change(path, std::make_shared<Inode>(), false);
    found = current_.find(path);
  }
  return std::unique_ptr<File>(std::make_unique<SimulatedFile>(*this, found->second, path));
}

Status SimulatedFileSystem::rename(const std::filesystem::path& from,
                                   const std::filesystem::path& to) {
  const auto found = current_.find(from);
  if (found == current_.end()) {
    return absl::NotFoundError("rename " + from.string() + ": there is no such file");
  }
  const std::shared_ptr<Inode> inode = found->second;
  change(to, inode, false);
  change(from, nullptr, true);
  return absl::OkStatus();
}

Status SimulatedFileSystem::remove(const std::filesystem::path& path) {
  if (!current_.contains(path)) {
    return absl::NotFoundError("remove " + path.string() + ": there is no such file");
  }
  change(path, nullptr, false);
  return absl::OkStatus();
}

void SimulatedFileSystem::change(const std::filesystem::path& path, std::shared_ptr<Inode> inode,
                                 bool joins) {
  unsynced_[path.parent_path()].push_back({path, inode, joins});
  if (inode == nullptr) {
    current_.erase(path);
  } else {
    current_[path] = std::move(inode);
  }
}

Result<std::vector<std::string>> SimulatedFileSystem::list(const std::filesystem::path& directory) {
  if (!directories_.contains(directory)) {
    return absl::NotFoundError("list " + directory.string() + ": there is no such directory");
  }
  std::vector<std::string> names;
  for (const auto& [path, inode] : current_) {
    if (path.parent_path() == directory) {
      names.push_back(path.filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Directories are made rarely and once; that they could be lost adds nothing here.
Status SimulatedFileSystem::make_directories(const std::filesystem::path& directory) {
  for (std::filesystem::path path = directory; path.has_relative_path();
       path = path.parent_path()) {
    directories_.insert(path);
  }
  return absl::OkStatus();
}

Status SimulatedFileSystem::sync_directory(const std::filesystem::path& directory) {
  SWARM_RETURN_IF_ERROR(on_sync(directory.string()));
  for (const Change& made : unsynced_[directory]) {
    if (made.inode == nullptr) {
      durable_.erase(made.path);
    } else {
      durable_[made.path] = made.inode;
    }
  }
  unsynced_.erase(directory);
  return absl::OkStatus();
}

bool SimulatedFileSystem::exists(const std::filesystem::path& path) {
  return current_.contains(path) || directories_.contains(path);
}

Status SimulatedFileSystem::check_room(uint64_t growth, const std::string& what) const {
  uint64_t used = 0;
  for (const auto& [path, inode] : current_) {
    used += inode->current.size();
  }
  if (used + growth > capacity_) {
    return absl::ResourceExhaustedError(what + ": no space left on the simulated disk");
  }
  return absl::OkStatus();
}

Status SimulatedFileSystem::on_sync(const std::string& what) {
  if (is_losing_power_ || syncs_until_failure_ == 0) {
    return absl::UnavailableError("sync " + what + ": simulated I/O error");
  }
  --syncs_until_failure_;
  ++syncs_;
  return absl::OkStatus();
}

void SimulatedFileSystem::crash_inode(Inode& inode, Random& random) {
  std::string survived = inode.durable;
  if (survived.size() != inode.current.size() && random.chance(0.5)) {
    survived.resize(inode.current.size(), '\0');
  }
  for (const uint64_t page : inode.dirty_pages) {
    const uint64_t start = page * kPageBytes;
    const uint64_t limit = std::min(survived.size(), inode.current.size());
    const uint64_t end = std::min<uint64_t>(start + kPageBytes, limit);
    const bool is_torn = random.chance(0.3);
    const bool is_kept = random.chance(0.5);
    for (uint64_t sector = start; sector < end; sector += kSectorBytes) {
      if (is_torn ? random.chance(0.5) : is_kept) {
        const uint64_t size = std::min(kSectorBytes, end - sector);
        survived.replace(sector, size, inode.current, sector, size);
      }
    }
  }
  inode.is_stale = true;
  inode.durable = std::move(survived);
}

void SimulatedFileSystem::crash(Random& random) {
  for (auto& [directory, changes] : unsynced_) {
    size_t kept = random.below(changes.size() + 1);
    while (kept < changes.size() && changes[kept].joins_previous) {
      ++kept;
    }
    for (size_t i = 0; i < kept; ++i) {
      if (changes[i].inode == nullptr) {
        durable_.erase(changes[i].path);
      } else {
        durable_[changes[i].path] = changes[i].inode;
      }
    }
  }
  for (auto& [path, inode] : current_) {
    inode->is_stale = true;
  }
  Names survived;
  for (auto& [path, inode] : durable_) {
    crash_inode(*inode, random);
    auto fresh = std::make_shared<Inode>();
    fresh->current = fresh->durable = inode->durable;
    survived[path] = std::move(fresh);
  }
  current_ = durable_ = std::move(survived);
  unsynced_.clear();
  is_losing_power_ = false;
  syncs_until_failure_ = std::numeric_limits<uint64_t>::max();
}

void SimulatedFileSystem::crash_dropping_everything() {
  for (auto& [path, inode] : current_) {
    inode->is_stale = true;
  }
  for (auto& [path, inode] : durable_) {
    inode->is_stale = true;
    auto fresh = std::make_shared<Inode>();
    fresh->current = fresh->durable = inode->durable;
    inode = std::move(fresh);
  }
  current_ = durable_;
  unsynced_.clear();
  is_losing_power_ = false;
  syncs_until_failure_ = std::numeric_limits<uint64_t>::max();
}

void SimulatedFileSystem::damage(const std::filesystem::path& path, uint64_t offset) {
  for (std::string* const bytes : {&current_.at(path)->current, &current_.at(path)->durable}) {
    if (offset < bytes->size()) {
      (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ 0x10);
    }
  }
}

}  // namespace swarm::test
