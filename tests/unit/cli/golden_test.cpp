#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "fixture.h"

// Every testdata/*.txt is a transcript: "state NAME" makes a swarm, "$ swarmctl ..." is run against
// it, "| " is its stdout, "! " its stderr, "= " its exit code. SWARM_REWRITE=1 writes what is.
namespace swarm::cli {
namespace {

std::filesystem::path data_folder() {
  return std::filesystem::path(SWARM_TEST_DATA) / "testdata";
}

std::string prefixed(const std::string& text, const std::string& prefix) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    result += (line.empty() ? prefix : prefix + " " + line) + "\n";
  }
  return result;
}

void arrange(Fixture& fixture, const std::string& state) {
  if (state == "sample") {
    fill_with_sample(fixture.swarm);
  } else if (state == "unreachable") {
    fixture.swarm.failure = absl::UnavailableError(
        "nobody listens at unix:/run/swarmd/swarmd.sock: start swarmd, or give --host");
  } else if (state == "contended") {
    fill_with_sample(fixture.swarm);
    fixture.swarm.mutation_failure = absl::AbortedError("stale version");
  } else {
    ASSERT_EQ(state, "empty");
  }
}

// Runs the commands of a transcript and gives it with what they really print.
std::string replay(const std::string& transcript) {
  std::string result;
  auto fixture = std::make_unique<Fixture>();
  std::istringstream lines(transcript);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("|") || line.starts_with("!") || line.starts_with("=")) {
      continue;
    }
    result += line + "\n";
    if (line.starts_with("state ")) {
      fixture = std::make_unique<Fixture>();
      arrange(*fixture, line.substr(6));
    } else if (line.starts_with("$ swarmctl")) {
      const RunResult run = fixture->run(line.substr(std::string("$ swarmctl").size()));
      result += prefixed(run.out, "|") + prefixed(run.err, "!") + "= " +
                std::to_string(run.exit_code) + "\n";
    }
  }
  return result;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, TranscriptIsWhatTheCommandsPrint) {
  const std::filesystem::path path = data_folder() / GetParam();
  std::stringstream expected;
  expected << std::ifstream(path).rdbuf();
  const std::string actual = replay(expected.str());
  if (std::getenv("SWARM_REWRITE") != nullptr) {
    std::ofstream(path) << actual;
    return;
  }
  EXPECT_EQ(actual, expected.str()) << "SWARM_REWRITE=1 rewrites " << path;
}

std::vector<std::string> transcripts() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_folder())) {
    if (entry.path().extension() == ".txt") {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  return info.param.substr(0, info.param.find('.'));
}

INSTANTIATE_TEST_SUITE_P(Transcripts, Golden, testing::ValuesIn(transcripts()), test_name);

}  // namespace
}  // namespace swarm::cli
