// How fast the raft log makes groups of entries durable, beside an append of the same bytes to a
// file and an fdatasync. Slices of both alternate in a random order, so that what else happens on
// the disk falls on both; releasing, recycling and preparing files are part of the log's time.
//
//   raft_log_bench [--folder .] [--rounds 7] [--slices 5]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/check.h"
#include "base/random.h"
#include "platform/file_system.h"
#include "raft/log/segmented_log.h"
#include "security/tls/aes_gcm.h"
#include "security/tls/random_secret.h"

namespace swarm::raft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kEntryBytes = 512;
constexpr size_t kBatches[] = {1, 16, 256};
constexpr auto kSlice = std::chrono::milliseconds(100);
// As a replica takes snapshots, and what it keeps of the log before them (ReplicaOptions).
constexpr uint64_t kSnapshotBytes = 16 << 20;
constexpr uint64_t kKeptBytes = kSnapshotBytes / 2;
// The file of the appends is begun anew at this size, outside of what is measured.
constexpr uint64_t kAppendFileBytes = 64 << 20;

void check(const Status& status) {
  SWARM_CHECK(status.ok(), std::string(status.message()));
}

// As a manager seals its log.
class DataKeyCipher final : public PayloadCipher {
 public:
  std::string seal(std::string_view plain) override { return cipher_.seal(plain); }
  Result<std::string> open(std::string_view sealed) override { return cipher_.open(sealed); }

 private:
  security::AesGcm cipher_{security::random_bytes(security::AesGcm::kKeyBytes)};
};

// What makes a group of entries durable and can be measured.
class Contender {
 public:
  virtual ~Contender() = default;
  virtual void begin_slice() = 0;  // not measured
  virtual void append_group() = 0;
};

class AppendAndSync final : public Contender {
 public:
  AppendAndSync(FileSystem& files, std::filesystem::path path, std::string group)
      : files_(files), path_(std::move(path)), group_(std::move(group)) {}

  void begin_slice() override {
    if (file_ == nullptr || offset_ >= kAppendFileBytes) {
      auto file = files_.open(path_, OpenMode::create_or_open);
      check(file.status());
      file_ = *std::move(file);
      check(file_->truncate(0));
      check(file_->sync());
      check(files_.sync_directory(path_.parent_path()));
      offset_ = 0;
    }
  }
  void append_group() override {
    check(file_->write_at(offset_, group_));
    check(file_->sync());
    offset_ += group_.size();
  }

 private:
  FileSystem& files_;
  const std::filesystem::path path_;
  const std::string group_;
  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
};

// As a leader's LogWriter: each group has entries and the commit index, room is prepared between
// groups, and what a snapshot covers is released.
class RaftLogContender final : public Contender {
 public:
  RaftLogContender(FileSystem& files, std::filesystem::path folder, std::string payload,
                   size_t batch)
      : payload_(std::make_shared<const std::string>(std::move(payload))), batch_(batch) {
    auto opened = SegmentedLog::open({std::move(folder)}, files, cipher_, Random::from_system());
    check(opened.status());
    log_ = std::move(opened->log);
  }

  void begin_slice() override {}
  void append_group() override {
    std::vector<PersistOp> group(1);
    group[0].hard_state = HardState{Term(1), MemberId(1), last_};
    group[0].entries.reserve(batch_);
    for (size_t i = 0; i < batch_; ++i) {
      last_ = after(last_);
      group[0].entries.push_back({Term(1), last_, EntryKind::command, payload_});
    }
    check(log_->append(group));
    check(log_->prepare_ahead().status());
    since_snapshot_ += batch_ * kEntryBytes;
    if (since_snapshot_ >= kSnapshotBytes) {
      since_snapshot_ = 0;
      check(log_->release_until(Index(last_.value() - kKeptBytes / kEntryBytes)));
    }
  }

 private:
  DataKeyCipher cipher_;
  const std::shared_ptr<const std::string> payload_;
  const size_t batch_;
  std::unique_ptr<SegmentedLog> log_;
  Index last_;
  uint64_t since_snapshot_ = 0;
};

struct Tally {
  uint64_t groups = 0;
  Clock::duration took{};

  double rate() const {
    return static_cast<double>(groups) / std::chrono::duration<double>(took).count();
  }
};

void run_slice(Contender& contender, Tally& tally) {
  contender.begin_slice();
  const Clock::time_point start = Clock::now();
  Clock::time_point now = start;
  for (; now < start + kSlice; now = Clock::now()) {
    contender.append_group();
    ++tally.groups;
  }
  tally.took += now - start;
}

struct Rates {
  double log = 0;
  double append = 0;
};

Rates run_round(Contender& log, Contender& append, int slices, Random& random) {
  Tally of_log;
  Tally of_append;
  for (int left_log = slices, left_append = slices; left_log + left_append > 0;) {
    const auto left = static_cast<uint64_t>(left_log + left_append);
    if (random.below(left) < static_cast<uint64_t>(left_log)) {
      --left_log;
      run_slice(log, of_log);
    } else {
      --left_append;
      run_slice(append, of_append);
    }
  }
  return {of_log.rate(), of_append.rate()};
}

void print(const char* what, std::vector<double> values, const char* format) {
  std::sort(values.begin(), values.end());
  std::printf("  %s ", what);
  for (const double value : {values[values.size() / 2], values.front(), values.back()}) {
    std::printf(format, value);
  }
}

void measure(FileSystem& files, const std::filesystem::path& folder, size_t batch, int rounds,
             int slices) {
  Random random = Random::from_system();
  const std::string payload = security::random_bytes(kEntryBytes);
  std::string group;
  for (size_t i = 0; i < batch; ++i) {
    group += payload;
  }
  AppendAndSync append(files, folder / ("append-" + std::to_string(batch)), group);
  RaftLogContender log(files, folder / ("log-" + std::to_string(batch)), payload, batch);
  std::vector<double> logs;
  std::vector<double> appends;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const Rates rates = run_round(log, append, slices, random);
    logs.push_back(rates.log);
    appends.push_back(rates.append);
    ratios.push_back(rates.log / rates.append);
  }
  std::printf("%4zu entries", batch);
  print("log", logs, " %7.0f");
  print("append", appends, " %7.0f");
  print("ratio", ratios, " %5.2f");
  std::printf("\n");
  std::fflush(stdout);
}

int run(const std::filesystem::path& parent, int rounds, int slices) {
  const std::unique_ptr<FileSystem> files = platform::make_file_system();
  Random random = Random::from_system();
  const std::filesystem::path folder =
      std::filesystem::absolute(parent) / ("raft_log_bench-" + random_id(random));
  check(files->make_directories(folder));
  std::printf("groups a second in %s; median, smallest, largest of %d rounds\n",
              parent.string().c_str(), rounds);
  for (const size_t batch : kBatches) {
    measure(*files, folder, batch, rounds, slices);
  }
  check(platform::remove_tree(folder));
  return 0;
}

}  // namespace
}  // namespace swarm::raft

int main(int argc, char** argv) {
  CLI::App app("How fast the raft log makes groups of 512-byte entries durable");
  std::string folder = ".";
  int rounds = 7;
  int slices = 5;
  app.add_option("--folder", folder, "where to write; best where managers keep their state");
  app.add_option("--rounds", rounds, "per size of group")->check(CLI::PositiveNumber);
  app.add_option("--slices", slices, "of 0.1 s, of both, in a round")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return swarm::raft::run(folder, rounds, slices);
}
