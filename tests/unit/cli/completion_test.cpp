#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/command.h"
#include "fixture.h"

namespace swarm::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

TEST(Completion, KnowsEveryCommand) {
  Fixture fixture;
  for (const char* shell : {"bash", "zsh"}) {
    const std::string script = fixture.run(std::string("completion ") + shell).out;
    for (const CommandGroup& group : command_groups()) {
      for (const Command& command : group.commands) {
        const std::string path =
            (group.name.empty() ? "" : std::string(group.name) + " ") + std::string(command.name);
        EXPECT_THAT(script, HasSubstr("'" + path + "'")) << shell;
      }
    }
  }
}

// Runs the script in a real shell, with a swarmctl that names two services and a node.
class ShellCompletion : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (std::system(("command -v " + GetParam() + " >/dev/null").c_str()) != 0) {
      GTEST_SKIP() << "this machine has no " << GetParam();
    }
    std::string pattern = testing::TempDir() + "swarmctl-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    std::ofstream(folder_ / "swarmctl")
        << "#!/bin/sh\ncase \"$*\" in *'service ls'*) echo web; echo api ;; "
           "*'node ls'*) echo alpha ;; esac\n";
    std::filesystem::permissions(folder_ / "swarmctl", std::filesystem::perms::all);
  }
  void TearDown() override {
    if (!folder_.empty()) {
      std::filesystem::remove_all(folder_);
    }
  }

  // `words` as the shell splits the line; the last one is being typed.
  std::vector<std::string> complete(const std::vector<std::string>& words) {
    std::ofstream(folder_ / "run")
        << Fixture().run("completion " + GetParam()).out << call_of(words);
    const std::string command = "PATH=" + folder_.string() + ":$PATH " + GetParam() + " " +
                                (folder_ / "run").string() + " 2>&1";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
    std::vector<std::string> result;
    std::string line;
    for (int c = 0; (c = std::fgetc(pipe.get())) != EOF;) {
      if (c != '\n') {
        line.push_back(static_cast<char>(c));
      } else if (const std::string word = std::exchange(line, ""); is_match(word, words.back())) {
        result.push_back(word);
      }
    }
    return result;
  }

 private:
  // What the shell does when the user presses Tab.
  std::string call_of(const std::vector<std::string>& words) const {
    std::string list;
    for (const std::string& word : words) {
      list += " '" + word + "'";
    }
    const std::string count = std::to_string(words.size());
    if (GetParam() == "bash") {
      return "COMP_WORDS=(" + list + "); COMP_CWORD=$((" + count +
             " - 1)); _swarmctl; printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    }
    return "compadd() { shift; print -l -- \"$@\" }\nwords=(" + list + "); CURRENT=" + count +
           "; _swarmctl\n";
  }
  // zsh leaves the choice among candidates to itself; everything but a candidate is an error.
  static bool is_match(const std::string& word, const std::string& typed) {
    EXPECT_EQ(word.find(' '), word.npos) << word;
    return !word.empty() && word.starts_with(typed);
  }

  std::filesystem::path folder_;
};

TEST_P(ShellCompletion, OffersGroupsAndCommands) {
  EXPECT_THAT(complete({"swarmctl", "s"}), UnorderedElementsAre("swarm", "service"));
  EXPECT_THAT(complete({"swarmctl", "node", "p"}), UnorderedElementsAre("ps", "promote"));
  EXPECT_THAT(complete({"swarmctl", "--host", "unix:/x", "serv"}), ElementsAre("service"));
}

TEST_P(ShellCompletion, OffersFlagsOfTheCommand) {
  EXPECT_THAT(complete({"swarmctl", "service", "update", "--env"}),
              UnorderedElementsAre("--env-add", "--env-rm"));
  EXPECT_THAT(complete({"swarmctl", "service", "ls", "-"}), Contains("--format"));
}

TEST_P(ShellCompletion, OffersTheWordsAFlagTakes) {
  EXPECT_THAT(complete({"swarmctl", "service", "update", "--update-order", "st"}),
              UnorderedElementsAre("start-first", "stop-first"));
  EXPECT_THAT(complete({"swarmctl", "service", "update", "--update-order", "a"}),
              UnorderedElementsAre("auto"));
  EXPECT_THAT(complete({"swarmctl", "service", "create", "--name", ""}), IsEmpty());
}

TEST_P(ShellCompletion, OffersNamesOfServicesAndNodes) {
  EXPECT_THAT(complete({"swarmctl", "service", "rm", ""}), UnorderedElementsAre("web", "api"));
  EXPECT_THAT(complete({"swarmctl", "service", "rm", "api", "w"}), ElementsAre("web"));
  EXPECT_THAT(complete({"swarmctl", "node", "inspect", "a"}), ElementsAre("alpha"));
  EXPECT_THAT(complete({"swarmctl", "swarm", "join-token", ""}),
              UnorderedElementsAre("worker", "manager"));
  EXPECT_THAT(complete({"swarmctl", "service", "create", ""}), Not(Contains("web")));
}

INSTANTIATE_TEST_SUITE_P(Shells, ShellCompletion, testing::Values("bash", "zsh"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace swarm::cli
