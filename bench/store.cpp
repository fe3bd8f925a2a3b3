// What the store costs at scale: memory of a task with everything that belongs to it, transactions
// a second, and how long the loop that owns it stands still while a snapshot is taken or restored.
//
//   store_bench [tasks, default 1000000]
//
// The main thread is the control loop, a second one the loop that writes and reads files. Pauses
// are of the clock on the wall and of the thread's own processor time: on a busy machine the first
// holds the turns of others as well.

#include <jemalloc/jemalloc.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "state/store.h"

namespace swarm::state {
namespace {

constexpr size_t kTasksOfService = 1000;
constexpr size_t kNodes = 6000;
constexpr size_t kTasksOfTransaction = 500;  // as a decider's round

const WallTime kNow = WallTime(hours(24 * 365 * 56));

// The leader's log, without a log.
struct NoLog final : Proposer {
  void propose(model::Position, std::string entry) override { bytes += entry.size(); }
  uint64_t bytes = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double processor_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// The longest of many turns of a loop, in milliseconds.
struct Longest {
  double wall = 0;
  double processor = 0;
  size_t turns = 0;

  template <class Turn>
  void measure(Turn turn) {
    const auto start = std::chrono::steady_clock::now();
    const double before = processor_ms();
    turn();
    processor = std::max(processor, processor_ms() - before);
    wall = std::max(wall, seconds_since(start) * 1e3);
    ++turns;
  }
  void print(const char* what) const {
    std::printf("  %-52s %8.2f ms wall %8.2f ms cpu  (%zu turns)\n", what, wall, processor, turns);
  }
};

size_t heap_bytes() {
  uint64_t epoch = 1;  // the statistics are those of the last time it was set
  mallctl("epoch", nullptr, nullptr, &epoch, sizeof(epoch));
  size_t allocated = 0;
  size_t size = sizeof(allocated);
  mallctl("stats.allocated", &allocated, &size, nullptr, 0);
  return allocated;
}

model::Task task_of(const model::ServiceId& service, model::Slot slot, Random& random) {
  model::Task task;
  task.id = model::TaskId(random_id(random));
  task.service = service;
  task.slot = slot;
  task.revision = 1;
  task.status.state = model::TaskState::pending;
  return task;
}

// As the agent of a node with an engine reports it.
model::Task running(const model::Task& stored, const model::NodeId& node, Random& random) {
  model::Task task = stored;
  task.node = node;
  task.status.state = model::TaskState::running;
  task.status.at = kNow;
  task.status.running_since = kNow;
  task.status.message = "started";
  task.status.container_id = (random_id(random) + random_id(random) + random_id(random)).substr(11);
  return task;
}

void commit(Store& store, ChangeSet changes) {
  const auto position = store.commit(std::move(changes), kNow);
  SWARM_CHECK(position.ok(), std::string(position.status().message()));
  store.confirm(*position);
}

std::vector<model::NodeId> add_nodes(Store& store, Random& random) {
  std::vector<model::NodeId> nodes;
  ChangeSet changes;
  for (size_t i = 0; i < kNodes; ++i) {
    model::Node node;
    node.id = model::NodeId(random_id(random));
    node.description.hostname = "host-" + std::to_string(i);
    nodes.push_back(node.id);
    changes.put(node);
  }
  commit(store, std::move(changes));
  return nodes;
}

void add_service(Store& store, size_t number, size_t tasks, Random& random) {
  model::Service service;
  service.id = model::ServiceId(random_id(random));
  service.settings.name = "service-" + std::to_string(number);
  service.revision = 1;
  model::Revision revision;
  revision.service = service.id;
  revision.number = 1;
  ChangeSet changes;
  changes.put(service);
  changes.put(revision);
  for (size_t slot = 1; slot <= tasks; ++slot) {
    changes.put(task_of(service.id, static_cast<model::Slot>(slot), random));
    if (changes.puts.size() >= kTasksOfTransaction || slot == tasks) {
      commit(store, std::exchange(changes, {}));
    }
  }
}

void run_tasks(Store& store, const std::vector<model::NodeId>& nodes, Random& random) {
  while (!store.view().unplaced_tasks().empty()) {
    ChangeSet changes;
    for (const auto& [id, task] : store.view().unplaced_tasks()) {
      changes.put(running(*task, nodes[random.below(nodes.size())], random));
      if (changes.puts.size() == kTasksOfTransaction) {
        break;
      }
    }
    commit(store, std::move(changes));
  }
}

// One task of a random place changes: the smallest write there is.
class SmallWrites {
 public:
  SmallWrites(Store& store, Random& random) : store_(store), random_(random) {
    size_t at = 0;
    for (const auto& [id, task] : store.view().tasks()) {
      if (at++ % 37 == 0) {
        ids_.push_back(id);
      }
    }
  }
  void write() {
    model::Task task = *store_.view().task(ids_[random_.below(ids_.size())]);
    ++task.restarts;
    ChangeSet changes;
    changes.put(std::move(task));
    commit(store_, std::move(changes));
  }

 private:
  Store& store_;
  Random& random_;
  std::vector<model::TaskId> ids_;
};

void measure_writes(Store& store, Random& random) {
  SmallWrites writes(store, random);
  const auto start = std::chrono::steady_clock::now();
  size_t count = 0;
  while (seconds_since(start) < 2) {
    for (int i = 0; i < 100; ++i, ++count) {
      writes.write();
    }
  }
  std::printf("  %-52s %8.0f /s\n", "transactions of one task",
              static_cast<double>(count) / seconds_since(start));
}

// The loop writes on while another thread takes the snapshot.
std::vector<std::string> measure_snapshot(Store& store, Random& random) {
  SmallWrites writes(store, random);
  Longest quiet, ask, write, chunk;
  for (int i = 0; i < 30'000; ++i) {
    quiet.measure([&] { writes.write(); });
  }
  std::function<std::string()> next;
  ask.measure([&] { next = store.snapshot(); });
  std::vector<std::string> chunks;
  std::atomic<bool> is_done = false;
  const auto start = std::chrono::steady_clock::now();
  std::thread writer([&] {
    for (bool is_more = true; is_more;) {
      chunk.measure([&] { chunks.push_back(next()); });
      is_more = !chunks.back().empty();
    }
    chunks.pop_back();
    next = nullptr;
    is_done = true;
  });
  while (!is_done) {
    write.measure([&] { writes.write(); });
  }
  writer.join();
  const double took = seconds_since(start);
  size_t bytes = 0;
  for (const std::string& one : chunks) {
    bytes += one.size();
  }
  std::printf("snapshot: %zu chunks, %.0f MiB, %.2f s, %.0f MiB/s\n", chunks.size(),
              static_cast<double>(bytes) / (1 << 20), took,
              static_cast<double>(bytes) / (1 << 20) / took);
  quiet.print("control loop: a write before (the machine's own pauses)");
  ask.print("control loop: the view is taken");
  write.print("control loop: a write meanwhile");
  chunk.print("log loop: a chunk is serialised");
  return chunks;
}

void measure_restore(Store& store, const std::vector<std::string>& chunks) {
  Longest load, swap, drop;
  const auto start = std::chrono::steady_clock::now();
  SnapshotLoader loader;
  for (const std::string& chunk : chunks) {
    load.measure([&] { SWARM_CHECK(loader.add(chunk).ok(), "a chunk of its own loads"); });
  }
  auto contents = loader.finish();
  SWARM_CHECK(contents.ok(), "a snapshot of its own loads");
  StoreContents past;
  swap.measure([&] { past = store.restore(*std::move(contents)); });
  const double took = seconds_since(start);
  for (bool is_more = true; is_more;) {
    drop.measure([&] { is_more = past.drop(1024); });
  }
  std::printf("restore: %.2f s, %.0f tasks/s\n", took,
              static_cast<double>(store.view().tasks().size()) / took);
  swap.print("control loop: the state is exchanged");
  load.print("log loop: a chunk is loaded");
  drop.print("log loop: a part of the old state is freed");
}

bool is_same_again(const Store& store, const std::vector<std::string>& chunks) {
  const auto next = store.snapshot();
  for (const std::string& chunk : chunks) {
    if (next() != chunk) {
      return false;
    }
  }
  return next().empty();
}

int run(size_t tasks) {
  Random random(1);
  NoLog log;
  Store store;
  store.lead(log);
  const std::vector<model::NodeId> nodes = add_nodes(store, random);
  const size_t empty = heap_bytes();
  const auto start = std::chrono::steady_clock::now();
  for (size_t made = 0; made < tasks; made += kTasksOfService) {
    add_service(store, made / kTasksOfService, std::min(kTasksOfService, tasks - made), random);
  }
  run_tasks(store, nodes, random);
  const double took = seconds_since(start);
  std::printf("%zu tasks of %zu services on %zu nodes\n", store.view().tasks().size(),
              store.view().services().size(), nodes.size());
  std::printf("  %-52s %8.0f bytes (sizeof %zu)\n", "memory of a task, indexes included",
              static_cast<double>(heap_bytes() - empty) / static_cast<double>(tasks),
              sizeof(model::Task));
  std::printf("  %-52s %8.0f tasks/s\n", "created and run, 500 to a transaction",
              2 * static_cast<double>(tasks) / took);
  measure_writes(store, random);
  const std::vector<std::string> chunks = measure_snapshot(store, random);
  Store other;
  measure_restore(other, chunks);
  measure_restore(other, chunks);  // now there is an old state to be freed
  const bool is_same = is_same_again(other, chunks);
  std::printf("  %-52s %8s\n", "the same bytes from the restored store", is_same ? "yes" : "NO");
  return is_same ? 0 : 1;
}

}  // namespace
}  // namespace swarm::state

int main(int argc, char** argv) {
  return swarm::state::run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000);
}
