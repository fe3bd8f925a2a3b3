#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"

namespace swarm::test {

// Files in memory that forget like a disk does. Writes reach the disk with File::sync, names with
// sync_directory; `crash` decides by chance what else did: of each page that was not synced whether
// it was kept, dropped or torn at a sector, of names a prefix of the changes of each directory.
//
// One per simulated machine; outlives crashes of what runs on it.
class SimulatedFileSystem final : public FileSystem {
 public:
  static constexpr uint64_t kPageBytes = 4096;
  static constexpr uint64_t kSectorBytes = 512;

  Result<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) override;
  Status rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Status remove(const std::filesystem::path& path) override;
  Result<std::vector<std::string>> list(const std::filesystem::path& directory) override;
  Status make_directories(const std::filesystem::path& directory) override;
  Status sync_directory(const std::filesystem::path& directory) override;
  bool exists(const std::filesystem::path& path) override;

  // Power is lost. Open files become useless.
  void crash(Random& random);
  // Only what was synced survives.
  void crash_dropping_everything();

  // Faults. Bytes that all files together may have.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  // From now on no sync has an effect, and all fail: a disk whose power is going.
  void begin_power_loss() { is_losing_power_ = true; }
  // The sync after `count` more fails, and all after it.
  void fail_sync_after(uint64_t count) { syncs_until_failure_ = count; }
  void fail_writes(bool fail) { fails_writes_ = fail; }
  // Bit rot: flips a bit of what is on disk.
  void damage(const std::filesystem::path& path, uint64_t offset);

  uint64_t syncs() const { return syncs_; }
  uint64_t writes() const { return writes_; }

  // One file's contents, shared by its name and the files that are open on it.
  struct Inode {
    std::string current;
    std::string durable;
    std::set<uint64_t> dirty_pages;
    bool is_stale = false;  // it was open during a crash
  };

 private:
  friend class SimulatedFile;
  using Names = std::map<std::filesystem::path, std::shared_ptr<Inode>>;

  struct Change {
    std::filesystem::path path;
    std::shared_ptr<Inode> inode;  // null: the name went away
    bool joins_previous = false;   // both names of a rename change together
  };

  void change(const std::filesystem::path& path, std::shared_ptr<Inode> inode, bool joins);
  Status check_room(uint64_t growth, const std::string& what) const;
  Status on_sync(const std::string& what);
  void crash_inode(Inode& inode, Random& random);

  Names current_;
  Names durable_;
  std::set<std::filesystem::path> directories_;
  std::map<std::filesystem::path, std::vector<Change>> unsynced_;  // by directory
  uint64_t capacity_ = std::numeric_limits<uint64_t>::max();
  uint64_t syncs_until_failure_ = std::numeric_limits<uint64_t>::max();
  bool is_losing_power_ = false;
  bool fails_writes_ = false;
  uint64_t syncs_ = 0;
  uint64_t writes_ = 0;
};

}  // namespace swarm::test
