#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"

namespace swarm::test {

// Files in memory that forget like a disk does. Writes reach the disk with File::sync, names with
// sync_directory; `crash` decides by chance what else did: of each page that was not synced whether
// it was kept, dropped, torn at a sector or filled with garbage where it had been written, of names
// a prefix of the changes of each directory.
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
  // The process dies, the system lives: what it wrote is there, synced or not.
  void end_process();

  // Faults. Bytes that all files together may have.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  // From now on no sync has an effect, and all fail: a disk whose power is going.
  void begin_power_loss() { is_losing_power_ = true; }
  // The sync after `count` more fails, and all after it.
  void fail_sync_after(uint64_t count) { syncs_until_failure_ = count; }
  // The next sync fails and what it was to bring to the disk never gets there, although it can be
  // read until power is lost; later syncs succeed (Rebello et al., ATC 2020).
  void lose_next_sync() { loses_next_sync_ = true; }
  // The next sync finds no room for what was written, and drops it likewise: a disk that chooses
  // places only then.
  void run_out_at_next_sync() { runs_out_at_next_sync_ = true; }
  void fail_writes(bool fail) { fails_writes_ = fail; }
  // No write finds room, not even one over what is there (a disk that compresses or copies).
  void refuse_writes(bool refuse) { refuses_writes_ = refuse; }
  // A page that a crash catches may hold garbage.
  void leave_garbage(bool may_leave) { leaves_garbage_ = may_leave; }
  // Bit rot: flips a bit of what is on disk.
  void damage(const std::filesystem::path& path, uint64_t offset);
  // Bit rot under something that was written and synced later: which a reader must tell from a torn
  // write. False when there is no such place in files whose path contains `part`.
  bool damage_something_old(std::string_view part, Random& random);

  // What a person does while nothing runs: copies a folder, and puts a copy in its place later. An
  // empty copy is an empty folder.
  using Copy = std::map<std::string, std::string>;  // contents by path
  Copy copy_folder(std::string_view folder) const;
  void replace_folder(std::string_view folder, const Copy& copy);

  // Told of writes that were refused for want of room.
  std::function<void(std::string_view path)> on_full;
  std::function<void(std::string_view from, std::string_view to)> on_rename;

  uint64_t syncs() const { return syncs_; }
  // Those of files that were not opened for direct I/O.
  uint64_t cached_syncs() const { return cached_syncs_; }
  uint64_t writes() const { return writes_; }
  // Changes of names that crashes undid.
  uint64_t names_lost() const { return names_lost_; }

  // One file's contents, shared by its name and the files that are open on it.
  struct Inode {
    std::string current;
    std::string durable;
    std::vector<std::pair<uint64_t, uint64_t>> dirty;  // from, to: written and not synced
    uint64_t last_write = 0;                           // where the last synced write began
    bool is_stale = false;                             // it was open during a crash
  };

 private:
  friend class SimulatedFile;
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  struct Change {
    std::string path;
    std::shared_ptr<Inode> inode;  // null: the name went away
    bool joins_previous = false;   // both names of a rename change together
  };

  void change(const std::filesystem::path& path, std::shared_ptr<Inode> inode, bool joins);
  Status check_room(uint64_t growth, const std::filesystem::path& path) const;
  Status on_sync(const std::filesystem::path& path);
  void crash_inode(Inode& inode, Random& random) const;
  void crash_page(Inode& inode, uint64_t from, uint64_t to, Random& random) const;
  void keep_names(Random& random);
  void after_crash();

  Names current_;
  Names durable_;
  std::set<std::string> directories_;
  std::map<std::string, std::vector<Change>> unsynced_;  // by directory
  uint64_t capacity_ = std::numeric_limits<uint64_t>::max();
  uint64_t syncs_until_failure_ = std::numeric_limits<uint64_t>::max();
  bool is_losing_power_ = false;
  bool loses_next_sync_ = false;
  bool runs_out_at_next_sync_ = false;
  bool fails_writes_ = false;
  bool refuses_writes_ = false;
  bool leaves_garbage_ = false;
  uint64_t syncs_ = 0;
  uint64_t cached_syncs_ = 0;
  uint64_t writes_ = 0;
  uint64_t names_lost_ = 0;
};

}  // namespace swarm::test
