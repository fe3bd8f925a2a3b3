#include "support/simulated_file_system.h"

#include <algorithm>

namespace swarm::test {

class SimulatedFile final : public File {
 public:
  using Inode = SimulatedFileSystem::Inode;
  static constexpr uint64_t kPageBytes = SimulatedFileSystem::kPageBytes;

  SimulatedFile(SimulatedFileSystem& files, std::shared_ptr<Inode> inode,
                std::filesystem::path path, OpenMode mode)
      : files_(files),
        inode_(std::move(inode)),
        path_(std::move(path)),
        is_direct_(mode == OpenMode::direct) {}

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
    std::string& bytes = inode_->current;
    if (end > bytes.size()) {
      SWARM_RETURN_IF_ERROR(files_.check_room(end - bytes.size(), path_));
      bytes.resize(end, '\0');
    } else if (files_.refuses_writes_) {
      SWARM_RETURN_IF_ERROR(files_.check_room(1, path_));
    }
    bytes.replace(offset, data.size(), data);
    // Past the cache whole pages are written: what is left of the last one becomes zeros.
    const uint64_t page_end = (end + kPageBytes - 1) / kPageBytes * kPageBytes;
    const uint64_t written = is_direct_ ? std::min<uint64_t>(page_end, bytes.size()) : end;
    bytes.replace(end, written - end, written - end, '\0');
    inode_->dirty.emplace_back(offset, written);
    return absl::OkStatus();
  }

  Status sync() override {
    SWARM_RETURN_IF_ERROR(check());
    files_.cached_syncs_ += is_direct_ ? 0 : 1;
    const Status synced = files_.on_sync(path_);
    if (!synced.ok()) {
      const bool is_lost = std::exchange(files_.loses_next_sync_, false);
      if (std::exchange(files_.runs_out_at_next_sync_, false) || is_lost) {
        inode_->dirty.clear();
      }
      return synced;
    }
    inode_->durable.resize(inode_->current.size(), '\0');
    for (const auto& [from, to] : inode_->dirty) {
      inode_->durable.replace(from, to - from, inode_->current, from, to - from);
    }
    if (!inode_->dirty.empty()) {
      inode_->last_write = inode_->dirty.back().first;
    }
    inode_->dirty.clear();
    return absl::OkStatus();
  }

  Result<uint64_t> size() const override { return uint64_t{inode_->current.size()}; }

  Status truncate(uint64_t size) override {
    SWARM_RETURN_IF_ERROR(check());
    const uint64_t old_size = inode_->current.size();
    if (size > old_size) {
      SWARM_RETURN_IF_ERROR(files_.check_room(size - old_size, path_));
      inode_->dirty.emplace_back(old_size, size);
    }
    inode_->current.resize(size, '\0');
    for (auto& [from, to] : inode_->dirty) {
      from = std::min(from, size);
      to = std::min(to, size);
    }
    return absl::OkStatus();
  }

 private:
  Status check() const {
    return inode_->is_stale ? absl::UnavailableError(path_.string() + " was open in a crash")
                            : absl::OkStatus();
  }

  SimulatedFileSystem& files_;
  const std::shared_ptr<Inode> inode_;
  const std::filesystem::path path_;
  const bool is_direct_;
};

Result<std::unique_ptr<File>> SimulatedFileSystem::open(const std::filesystem::path& path,
                                                        OpenMode mode) {
  auto found = current_.find(path.native());
  const bool may_create = mode == OpenMode::create || mode == OpenMode::create_or_open;
  if (found != current_.end() && mode == OpenMode::create) {
    return absl::AlreadyExistsError("open " + path.string() + ": it exists");
  }
  if (found == current_.end()) {
    if (!may_create || !directories_.contains(path.parent_path().native())) {
      return absl::NotFoundError("open " + path.string() + ": there is no such file");
    }
    change(path, std::make_shared<Inode>(), false);
    found = current_.find(path.native());
  }
  return std::unique_ptr<File>(std::make_unique<SimulatedFile>(*this, found->second, path, mode));
}

Status SimulatedFileSystem::rename(const std::filesystem::path& from,
                                   const std::filesystem::path& to) {
  const auto found = current_.find(from.native());
  if (found == current_.end()) {
    return absl::NotFoundError("rename " + from.string() + ": there is no such file");
  }
  const std::shared_ptr<Inode> inode = found->second;
  change(to, inode, false);
  change(from, nullptr, true);
  if (on_rename) {
    on_rename(from.native(), to.native());
  }
  return absl::OkStatus();
}

Status SimulatedFileSystem::remove(const std::filesystem::path& path) {
  if (!current_.contains(path.native())) {
    return absl::NotFoundError("remove " + path.string() + ": there is no such file");
  }
  change(path, nullptr, false);
  return absl::OkStatus();
}

void SimulatedFileSystem::change(const std::filesystem::path& path, std::shared_ptr<Inode> inode,
                                 bool joins) {
  unsynced_[path.parent_path().native()].push_back({path.native(), inode, joins});
  if (inode == nullptr) {
    current_.erase(path.native());
  } else {
    current_[path.native()] = std::move(inode);
  }
}

Result<std::vector<std::string>> SimulatedFileSystem::list(const std::filesystem::path& directory) {
  if (!directories_.contains(directory.native())) {
    return absl::NotFoundError("list " + directory.string() + ": there is no such directory");
  }
  const std::string prefix = directory.native() + "/";
  std::vector<std::string> names;
  for (auto found = current_.lower_bound(prefix);
       found != current_.end() && found->first.starts_with(prefix); ++found) {
    if (found->first.find('/', prefix.size()) == std::string::npos) {
      names.push_back(found->first.substr(prefix.size()));
    }
  }
  return names;
}

// Directories are made rarely and once; that they could be lost adds nothing here.
Status SimulatedFileSystem::make_directories(const std::filesystem::path& directory) {
  for (std::filesystem::path path = directory; path.has_relative_path();
       path = path.parent_path()) {
    directories_.insert(path.native());
  }
  return absl::OkStatus();
}

Status SimulatedFileSystem::sync_directory(const std::filesystem::path& directory) {
  SWARM_RETURN_IF_ERROR(on_sync(directory));
  const auto found = unsynced_.find(directory.native());
  if (found == unsynced_.end()) {
    return absl::OkStatus();
  }
  for (const Change& made : found->second) {
    if (made.inode == nullptr) {
      durable_.erase(made.path);
    } else {
      durable_[made.path] = made.inode;
    }
  }
  unsynced_.erase(found);
  return absl::OkStatus();
}

bool SimulatedFileSystem::exists(const std::filesystem::path& path) {
  return current_.contains(path.native()) || directories_.contains(path.native());
}

Status SimulatedFileSystem::check_room(uint64_t growth, const std::filesystem::path& path) const {
  if (capacity_ == std::numeric_limits<uint64_t>::max() && !refuses_writes_) {
    return absl::OkStatus();
  }
  uint64_t used = 0;
  for (const auto& [name, inode] : current_) {
    used += inode->current.size();
  }
  if (refuses_writes_ || used + growth > capacity_) {
    if (on_full) {
      on_full(path.native());
    }
    return absl::ResourceExhaustedError("write " + path.string() +
                                        ": no space left on the simulated disk");
  }
  return absl::OkStatus();
}

Status SimulatedFileSystem::on_sync(const std::filesystem::path& path) {
  if (is_losing_power_ || syncs_until_failure_ == 0 || loses_next_sync_) {
    return absl::UnavailableError("sync " + path.string() + ": simulated I/O error");
  }
  if (runs_out_at_next_sync_) {
    return absl::ResourceExhaustedError("sync " + path.string() +
                                        ": no space left on the simulated disk");
  }
  --syncs_until_failure_;
  ++syncs_;
  return absl::OkStatus();
}

// What became of the part of a page that had been written and not synced.
void SimulatedFileSystem::crash_page(Inode& inode, uint64_t from, uint64_t to,
                                     Random& random) const {
  if (leaves_garbage_ && random.chance(0.1)) {
    // What is written over itself stays: a disk that ruins it could be written by nobody.
    for (uint64_t at = from; at < to; ++at) {
      if (inode.durable[at] != inode.current[at]) {
        inode.durable[at] = static_cast<char>(random.next());
      }
    }
    return;
  }
  const bool is_torn = random.chance(0.3);
  const bool is_kept = random.chance(0.5);
  for (uint64_t at = from; at < to;) {
    const uint64_t end = std::min(to, (at / kSectorBytes + 1) * kSectorBytes);
    if (is_torn ? random.chance(0.5) : is_kept) {
      inode.durable.replace(at, end - at, inode.current, at, end - at);
    }
    at = end;
  }
}

void SimulatedFileSystem::crash_inode(Inode& inode, Random& random) const {
  if (inode.durable.size() != inode.current.size() && random.chance(0.5)) {
    inode.durable.resize(inode.current.size(), '\0');
  }
  const uint64_t limit = std::min(inode.durable.size(), inode.current.size());
  for (const auto& [from, to] : inode.dirty) {
    for (uint64_t at = from; at < std::min(to, limit);) {
      const uint64_t end = std::min({to, limit, (at / kPageBytes + 1) * kPageBytes});
      crash_page(inode, at, end, random);
      at = end;
    }
  }
}

void SimulatedFileSystem::keep_names(Random& random) {
  for (auto& [directory, changes] : unsynced_) {
    size_t kept = random.below(changes.size() + 1);
    while (kept < changes.size() && changes[kept].joins_previous) {
      ++kept;
    }
    names_lost_ += changes.size() - kept;
    for (size_t i = 0; i < kept; ++i) {
      if (changes[i].inode == nullptr) {
        durable_.erase(changes[i].path);
      } else {
        durable_[changes[i].path] = changes[i].inode;
      }
    }
  }
}

// Files that were open belong to the dead: what survived is held anew.
void SimulatedFileSystem::after_crash() {
  for (auto& [path, inode] : current_) {
    inode->is_stale = true;
  }
  for (auto& [path, inode] : durable_) {
    inode->is_stale = true;
    auto fresh = std::make_shared<Inode>();
    fresh->current = fresh->durable = inode->durable;
    fresh->last_write = inode->last_write;
    inode = std::move(fresh);
  }
  current_ = durable_;
  unsynced_.clear();
  end_process();
}

void SimulatedFileSystem::crash(Random& random) {
  keep_names(random);
  for (auto& [path, inode] : durable_) {
    crash_inode(*inode, random);
  }
  after_crash();
}

void SimulatedFileSystem::crash_dropping_everything() {
  after_crash();
}

void SimulatedFileSystem::end_process() {
  is_losing_power_ = false;
  loses_next_sync_ = false;
  runs_out_at_next_sync_ = false;
  fails_writes_ = false;
  syncs_until_failure_ = std::numeric_limits<uint64_t>::max();
}

SimulatedFileSystem::Copy SimulatedFileSystem::copy_folder(std::string_view folder) const {
  Copy copy;
  for (const auto& [path, inode] : current_) {
    if (path.starts_with(std::string(folder) + "/")) {
      copy[path] = inode->current;
    }
  }
  return copy;
}

void SimulatedFileSystem::replace_folder(std::string_view folder, const Copy& copy) {
  const auto is_inside = [prefix = std::string(folder) + "/"](const auto& item) {
    return item.first.starts_with(prefix);
  };
  std::erase_if(unsynced_,
                [&](const auto& item) { return item.first == folder || is_inside(item); });
  for (Names* const names : {&current_, &durable_}) {
    std::erase_if(*names, is_inside);
  }
  for (const auto& [path, bytes] : copy) {
    auto inode = std::make_shared<Inode>();
    inode->current = inode->durable = bytes;
    current_[path] = durable_[path] = std::move(inode);
  }
}

void SimulatedFileSystem::damage(const std::filesystem::path& path, uint64_t offset) {
  Inode& inode = *current_.at(path.native());
  for (std::string* const bytes : {&inode.current, &inode.durable}) {
    if (offset < bytes->size()) {
      (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ 0x10);
    }
  }
}

bool SimulatedFileSystem::damage_something_old(std::string_view part, Random& random) {
  std::vector<const Names::value_type*> candidates;
  for (const auto& item : current_) {
    if (item.first.find(part) != std::string::npos && item.second->last_write > 0) {
      candidates.push_back(&item);
    }
  }
  if (candidates.empty()) {
    return false;
  }
  const auto& [path, inode] = *candidates[random.below(candidates.size())];
  damage(path, random.below(inode->last_write));
  return true;
}

}  // namespace swarm::test
