// Replays testdata/*.txt: blocks of commands, a line of dashes, and what they printed. With
// SWARM_REWRITE=1 the files are written anew, to be reviewed as a difference.

#include "interaction.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace swarm::raft::test {
namespace {

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& file :
       std::filesystem::directory_iterator(std::filesystem::path(SWARM_TEST_DATA) / "testdata")) {
    if (file.path().extension() == ".txt") {
      paths.push_back(file.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The file as it should be: comments and commands as they are, output as it is now.
std::string replay(std::istream& in) {
  Interaction interaction;
  std::string result;
  std::string printed;
  std::string line;
  bool in_output = false;
  while (std::getline(in, line)) {
    if (line == "----") {
      result += "----\n" + (printed.empty() ? std::string("ok\n") : printed);
      printed.clear();
      in_output = true;
    } else if (line.empty()) {
      result += "\n";
      in_output = false;
    } else if (!in_output) {
      result += line + "\n";
      printed += line.starts_with("#") ? "" : interaction.run(line);
    }
  }
  return result;
}

class Transcript : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Transcript, IsWhatHappens) {
  std::ifstream in(GetParam());
  std::stringstream text;
  text << in.rdbuf();
  const std::string actual = replay(text);
  if (std::getenv("SWARM_REWRITE") != nullptr) {
    std::ofstream(GetParam()) << actual;
  }
  EXPECT_EQ(actual, text.str()) << GetParam() << "; SWARM_REWRITE=1 writes it anew";
}

INSTANTIATE_TEST_SUITE_P(Raft, Transcript, ::testing::ValuesIn(transcripts()),
                         [](const auto& test) { return test.param.stem().string(); });

}  // namespace
}  // namespace swarm::raft::test
