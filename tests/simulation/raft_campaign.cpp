#include "raft_campaign.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <new>
#include <vector>

#include "raft_simulation.h"

namespace swarm::test {

namespace {

// A seed takes milliseconds; what takes so long goes round in circles.
constexpr int kMaxCpuSeconds = 120;
constexpr size_t kMinWrites = 5;
constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();

// What a worker tells, in memory that outlives it.
struct Report {
  std::atomic<uint64_t> seed;  // being run
  std::atomic<uint64_t> seeds;
  uint64_t idle;
  uint64_t lost;
  uint64_t events;
  uint64_t acknowledged;
  uint64_t elections;
  uint64_t crashes;
  double simulated_seconds;
  double cpu_seconds;
  double usual_simulated_seconds;
  double usual_cpu_seconds;
  std::array<uint64_t, kStates> states;
  char reason[1000];  // of its failure; empty: it is well
};

struct Board {
  std::atomic<uint64_t> failed;  // the lowest seed that did
  Report reports[64];
};

struct Worker {
  pid_t process = 0;
  int errors = -1;  // what it wrote to stderr during its present seed
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void fail(Board& board, Report& report, uint64_t seed, const std::string& reason) {
  std::snprintf(report.reason, sizeof(report.reason), "%s", reason.c_str());
  uint64_t lowest = board.failed.load();
  while (seed < lowest && !board.failed.compare_exchange_weak(lowest, seed)) {
  }
}

std::optional<std::string> run_seed(const CampaignOptions& options, Report& report, uint64_t seed) {
  const double start = cpu_seconds();
  RaftSimulation simulation(seed);
  const RaftSimulation::Outcome outcome = simulation.run();
  if (outcome.violation) {
    return outcome.violation;
  }
  const double seconds = static_cast<double>(outcome.time.count()) / 1e9;
  report.simulated_seconds += seconds;
  if (simulation.plan().members >= 3 && simulation.plan().members <= 5) {
    report.usual_simulated_seconds += seconds;
    report.usual_cpu_seconds += cpu_seconds() - start;
  }
  if (options.twice) {
    const RaftSimulation::Outcome again = RaftSimulation(seed).run();
    if (again.hash != outcome.hash || again.events != outcome.events) {
      return "the same seed went another way the second time";
    }
  }
  report.idle += outcome.acknowledged < kMinWrites ? 1 : 0;
  report.lost += outcome.is_lost ? 1 : 0;
  report.events += outcome.events;
  report.acknowledged += outcome.acknowledged;
  report.elections += outcome.elections;
  report.crashes += outcome.crashes;
  for (size_t state = 0; state < kStates; ++state) {
    report.states[state] += outcome.states.test(state) ? 1 : 0;
  }
  return std::nullopt;
}

[[noreturn]] void work(const CampaignOptions& options, Board& board, int number, int errors) {
  Report& report = board.reports[number];
  dup2(errors, STDERR_FILENO);
  const double start = cpu_seconds();
  for (uint64_t seed = options.first + static_cast<uint64_t>(number);
       seed <= options.last && seed < board.failed.load();
       seed += static_cast<uint64_t>(options.jobs)) {
    report.seed = seed;
    if (ftruncate(errors, 0) != 0 || lseek(errors, 0, SEEK_SET) != 0) {
      _exit(2);
    }
    const itimerval limit{{}, {kMaxCpuSeconds, 0}};
    setitimer(ITIMER_VIRTUAL, &limit, nullptr);
    if (const std::optional<std::string> violation = run_seed(options, report, seed)) {
      fail(board, report, seed, *violation);
      break;
    }
    ++report.seeds;
    report.cpu_seconds = cpu_seconds() - start;
  }
  report.cpu_seconds = cpu_seconds() - start;
  _exit(0);
}

std::string last_line(int file) {
  std::string text(4096, '\0');
  const off_t size = lseek(file, 0, SEEK_END);
  const ssize_t got = pread(file, text.data(), text.size(), std::max<off_t>(0, size - 4096));
  text.resize(got < 0 ? 0 : static_cast<size_t>(got));
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);
}

std::string reason_of(int status, int errors) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM) {
    return "did not end within " + std::to_string(kMaxCpuSeconds) + " s of CPU time";
  }
  return "the process ended: " + last_line(errors);
}

void show_progress(const Board& board, const CampaignOptions& options) {
  uint64_t done = 0;
  for (const Report& report : board.reports) {
    done += report.seeds.load();
  }
  std::fprintf(stderr, "\r%llu of %llu seeds", static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(options.last - options.first + 1));
}

void await(const CampaignOptions& options, Board& board, std::vector<Worker>& workers) {
  size_t running = workers.size();
  while (running > 0) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, options.shows_progress ? WNOHANG : 0);
    if (ended == 0) {
      show_progress(board, options);
      usleep(100'000);
      continue;
    }
    const auto found = std::find_if(workers.begin(), workers.end(), [ended](const Worker& worker) {
      return worker.process == ended;
    });
    if (found == workers.end()) {
      continue;
    }
    --running;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      Report& report = board.reports[found - workers.begin()];
      fail(board, report, report.seed.load(), reason_of(status, found->errors));
    }
  }
  if (options.shows_progress) {
    show_progress(board, options);
    std::fprintf(stderr, "\n");
  }
}

CampaignResult add_up(const Board& board) {
  CampaignResult result;
  for (const Report& report : board.reports) {
    result.seeds += report.seeds.load();
    result.idle += report.idle;
    result.lost += report.lost;
    result.events += report.events;
    result.acknowledged += report.acknowledged;
    result.elections += report.elections;
    result.crashes += report.crashes;
    result.simulated_seconds += report.simulated_seconds;
    result.cpu_seconds += report.cpu_seconds;
    result.usual_simulated_seconds += report.usual_simulated_seconds;
    result.usual_cpu_seconds += report.usual_cpu_seconds;
    for (size_t state = 0; state < kStates; ++state) {
      result.states[state] += report.states[state];
    }
    if (report.reason[0] != '\0' && report.seed.load() == board.failed.load()) {
      result.failure = CampaignFailure{report.seed.load(), report.reason};
    }
  }
  return result;
}

}  // namespace

CampaignResult run_campaign(const CampaignOptions& options) {
  void* const memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    std::exit(2);
  }
  Board& board = *new (memory) Board();
  board.failed = kNone;
  std::fflush(nullptr);
  std::vector<Worker> workers;
  for (int number = 0; number < options.jobs; ++number) {
    Worker worker;
    worker.errors = memfd_create("errors", 0);
    worker.process = fork();
    if (worker.process == 0) {
      work(options, board, number, worker.errors);
    }
    workers.push_back(worker);
  }
  await(options, board, workers);
  for (const Worker& worker : workers) {
    close(worker.errors);
  }
  CampaignResult result = add_up(board);
  munmap(memory, sizeof(Board));
  return result;
}

std::string last_events(uint64_t seed, size_t lines) {
  int ends[2];
  if (pipe(ends) != 0) {
    return {};
  }
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    RaftSimulation::Options options;
    options.traces = true;
    RaftSimulation(seed, options).run();
    _exit(0);
  }
  close(ends[1]);
  std::deque<std::string> last;
  FILE* const output = fdopen(ends[0], "r");
  char line[2000];
  while (std::fgets(line, sizeof(line), output) != nullptr) {
    last.emplace_back(line);
    if (last.size() > lines) {
      last.pop_front();
    }
  }
  std::fclose(output);
  waitpid(child, nullptr, 0);
  std::string text;
  for (const std::string& one : last) {
    text += one;
  }
  return text;
}

}  // namespace swarm::test
