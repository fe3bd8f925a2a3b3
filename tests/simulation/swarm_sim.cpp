// swarm-sim: Raft groups in one process, under virtual time and faults.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "base/log.h"
#include "raft_campaign.h"
#include "raft_mutants.h"
#include "raft_simulation.h"

namespace swarm::test {
namespace {

// Enough seeds to have been everywhere.
constexpr uint64_t kFullCampaign = 2'000;
constexpr size_t kLastEvents = 40;

struct RaftCommand {
  std::string seeds = "1..1000";
  uint64_t seed = 0;
  double until = 0;
  bool traces = false;
  bool twice = false;
  bool lists_mutants = false;
  bool shows_states = false;
  std::string mutant;
  int jobs = 1;
};

// As printf wants it.
unsigned long long count(uint64_t number) {
  return number;
}

bool parse_range(const std::string& text, CampaignOptions& options) {
  const size_t dots = text.find("..");
  try {
    options.first = std::stoull(text);
    options.last = dots == std::string::npos ? options.first : std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    return false;
  }
  return options.first <= options.last;
}

std::string command_for(const RaftCommand& command, uint64_t seed) {
  return "swarm-sim raft --seed " + std::to_string(seed) + " --trace" +
         (command.mutant.empty() ? "" : " --mutant " + command.mutant);
}

int run_one(const RaftCommand& command) {
  RaftSimulation::Options options;
  options.traces = command.traces;
  if (command.until > 0) {
    options.until = Duration(static_cast<int64_t>(command.until * 1e9));
  }
  RaftSimulation simulation(command.seed, options);
  std::printf("seed %llu: %s\n", count(command.seed), simulation.plan().text().c_str());
  const RaftSimulation::Outcome outcome = simulation.run();
  std::printf("%.1f simulated seconds, %llu events, hash %016llx, %zu writes, %zu elections\n",
              static_cast<double>(outcome.time.count()) / 1e9, count(outcome.events),
              count(outcome.hash), outcome.acknowledged, outcome.elections);
  for (size_t state = 0; state < kStates; ++state) {
    if (command.shows_states && outcome.states.test(state)) {
      std::printf("  %s\n", std::string(kStateNames[state]).c_str());
    }
  }
  if (outcome.violation) {
    std::printf("violation: %s\n", outcome.violation->c_str());
    return 1;
  }
  return 0;
}

void print_figures(const CampaignResult& result) {
  std::printf(
      "%llu seeds: %.0f simulated seconds in %.1f CPU seconds (%.0f : 1, %.0f : 1 for groups "
      "of 3 to 5), %.0f ns an event\n",
      count(result.seeds), result.simulated_seconds, result.cpu_seconds,
      result.simulated_seconds / result.cpu_seconds,
      result.usual_simulated_seconds / result.usual_cpu_seconds,
      result.cpu_seconds * 1e9 / static_cast<double>(result.events));
  std::printf(
      "%llu events, %llu writes acknowledged, %llu elections, %llu crashes; %llu idle seeds, "
      "%llu that lost too many disks\n",
      count(result.events), count(result.acknowledged), count(result.elections),
      count(result.crashes), count(result.idle), count(result.lost));
}

// What a campaign must have seen besides no violation.
int judge(const RaftCommand& command, const CampaignResult& result) {
  print_figures(result);
  bool is_good = true;
  for (size_t state = 0; state < kStates; ++state) {
    const bool is_missing = result.states[state] == 0 && result.seeds >= kFullCampaign;
    if (command.shows_states || is_missing) {
      std::printf("%8llu seeds: %s%s\n", count(result.states[state]),
                  std::string(kStateNames[state]).c_str(), is_missing ? "  NEVER REACHED" : "");
    }
    is_good = is_good && !is_missing;
  }
  if (result.idle * 20 > result.seeds && result.seeds >= kFullCampaign) {
    std::printf("more than one seed in twenty did no work\n");
    is_good = false;
  }
  return is_good ? 0 : 1;
}

int run_raft(const RaftCommand& command) {
  if (command.lists_mutants) {
    for (const MutantRecord& mutant : mutants()) {
      std::printf("%-32s %s\n", std::string(mutant.name).c_str(),
                  std::string(mutant.mistake).c_str());
    }
    return 0;
  }
  if (!command.mutant.empty() && !choose_mutant(command.mutant)) {
    std::fprintf(stderr, "there is no mutant %s here; --list-mutants lists them\n",
                 command.mutant.c_str());
    return 2;
  }
  if (command.seed != 0) {
    return run_one(command);
  }
  CampaignOptions options;
  options.jobs = command.jobs;
  options.twice = command.twice;
  options.shows_progress = isatty(STDERR_FILENO) != 0;
  if (!parse_range(command.seeds, options)) {
    std::fprintf(stderr, "--seeds takes FIRST..LAST, for example 1..1000\n");
    return 2;
  }
  const CampaignResult result = run_campaign(options);
  if (!result.failure) {
    return judge(command, result);
  }
  std::printf("the last events:\n%s\nseed %llu: %s\nagain: %s\n",
              last_events(result.failure->seed, kLastEvents).c_str(), count(result.failure->seed),
              result.failure->reason.c_str(), command_for(command, result.failure->seed).c_str());
  return 1;
}

// Makes each mistake and looks for it. Every one must be found within its seeds.
int run_mutants(int jobs, const std::string& only, uint64_t limit) {
  bool is_good = true;
  size_t found = 0;
  std::printf("%-32s %8s %8s  %s\n", "mutant", "seed", "CPU s", "caught by");
  for (const MutantRecord& mutant : mutants()) {
    if (!only.empty() && only != mutant.name) {
      continue;
    }
    choose_mutant(mutant.name);
    CampaignOptions options;
    options.last = limit > 0 ? limit : mutant.seeds;
    options.jobs = jobs;
    const CampaignResult result = run_campaign(options);
    std::string outcome = "NOT FOUND";
    if (result.failure) {
      ++found;
      outcome = result.failure->reason.substr(0, 110);
    } else {
      is_good = false;
    }
    std::printf("%-32s %8s %8.1f  %s\n", std::string(mutant.name).c_str(),
                result.failure ? std::to_string(result.failure->seed).c_str() : "-",
                result.cpu_seconds, outcome.c_str());
    std::fflush(stdout);
  }
  std::printf("%zu mistakes found\n", found);
  return is_good ? 0 : 1;
}

int main_of(int argc, char** argv) {
  log::set_level(log::Level::error);
  CLI::App app("Simulates Raft groups under faults: every run follows from its seed.", "swarm-sim");
  app.require_subcommand(1);
  RaftCommand raft;
  CLI::App* const raft_command = app.add_subcommand("raft", "Run seeds and check the invariants");
  raft_command->add_option("--seeds", raft.seeds, "FIRST..LAST, both included")
      ->capture_default_str();
  raft_command->add_option("--seed", raft.seed, "One seed in this very process");
  raft_command->add_option("--until", raft.until, "End that seed at this simulated second");
  raft_command->add_flag("--trace", raft.traces, "Print its events");
  raft_command->add_flag("--twice", raft.twice, "Each seed must go the same way twice");
  raft_command->add_flag("--states", raft.shows_states, "Say which states were reached");
  raft_command->add_option("--mutant", raft.mutant, "Make this mistake");
  raft_command->add_flag("--list-mutants", raft.lists_mutants, "Say which there are");
  raft_command->add_option("--jobs", raft.jobs, "Processes at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  raft_command->footer(
      "Examples:\n"
      "  swarm-sim raft --seeds 1..10000 --jobs 2      a campaign\n"
      "  swarm-sim raft --seed 17 --trace --until 9    what happened before\n"
      "  swarm-sim raft --seeds 1..500 --twice         the same seed gives the same run\n"
      "  swarm-sim raft --mutant stale_read            must fail soon");
  int jobs = 1;
  uint64_t limit = 0;
  std::string only;
  CLI::App* const mutant_command =
      app.add_subcommand("mutants", "Make one mistake after the other and find each");
  mutant_command->add_option("--jobs", jobs, "Processes at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  mutant_command->add_option("--only", only, "This one alone");
  mutant_command->add_option("--seeds", limit, "Try so many instead of the number each has");
  CLI11_PARSE(app, argc, argv);
  return raft_command->parsed() ? run_raft(raft) : run_mutants(jobs, only, limit);
}

}  // namespace
}  // namespace swarm::test

int main(int argc, char** argv) {
  return swarm::test::main_of(argc, argv);
}
