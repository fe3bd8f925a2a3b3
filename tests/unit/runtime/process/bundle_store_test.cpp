#include "runtime/process/bundle_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "platform/file_system.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Bundles : public testing::Test {
 protected:
  void add(const std::string& path, const std::string& manifest) {
    std::filesystem::create_directories(folder_.path() / path);
    std::ofstream(folder_.path() / path / "manifest.json") << manifest;
  }
  Result<Bundle> find(const std::string& image) {
    return BundleStore(*files_, {folder_.path() / "own", folder_.path() / "shared"}).find(image);
  }
  std::string problem(const std::string& image) {
    return std::string(find(image).status().message());
  }

  test::ScratchDirectory folder_;
  std::unique_ptr<FileSystem> files_ = platform::make_file_system();
};

constexpr const char* kMinimal = R"({"command": ["./app"]})";

TEST_F(Bundles, AreFoundByNameAndTag) {
  add("own/web/1.0", kMinimal);
  const auto bundle = find("web:1.0");
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->directory, folder_.path() / "own/web/1.0");
  EXPECT_THAT(bundle->manifest.command, ElementsAre("./app"));
}

TEST_F(Bundles, TagIsLatestWhenNoneIsGiven) {
  add("own/team/web/latest", kMinimal);
  EXPECT_TRUE(find("team/web").ok());
}

TEST_F(Bundles, OwnOnesHideSharedOnes) {
  add("own/web/1.0", kMinimal);
  add("shared/web/1.0", kMinimal);
  add("shared/web/1.1", kMinimal);
  EXPECT_EQ(find("web:1.0")->directory, folder_.path() / "own/web/1.0");
  EXPECT_EQ(find("web:1.1")->directory, folder_.path() / "shared/web/1.1");
}

TEST_F(Bundles, NamesCannotLeaveTheStore) {
  add("outside/1.0", kMinimal);
  for (const char* const image :
       {"../outside:1.0", "web:..", "/etc:1", "a//b", "", ":", "web@sha256:0", "web:1/0"}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(find(image).status())) << image;
  }
}

TEST_F(Bundles, MissingOneIsNamedWithTheStoreAndWhatIsThere) {
  EXPECT_THAT(problem("web:9"), HasSubstr("(available: none)"));
  add("own/web/1.0", kMinimal);
  add("shared/web/1.0", kMinimal);
  add("shared/db/7", kMinimal);
  EXPECT_TRUE(absl::IsNotFound(find("web:9").status()));
  EXPECT_EQ(problem("web:9"),
            "no such image \"web:9\" in the bundle store " + (folder_.path() / "own").string() +
                ", " + (folder_.path() / "shared").string() + " (available: db:7, web:1.0)");
}

TEST_F(Bundles, BadManifestsAreExplained) {
  add("own/a/1", "{");
  EXPECT_THAT(problem("a:1"), HasSubstr("image \"a:1\": manifest.json: "));
  add("own/b/1", "{}");
  EXPECT_THAT(problem("b:1"), HasSubstr("'command' not found"));
  add("own/c/1", R"({"command": []})");
  EXPECT_THAT(problem("c:1"), HasSubstr("'command' must name a program"));
  add("own/d/1", R"({"command": ["x"], "comand": 1})");
  EXPECT_THAT(problem("d:1"), HasSubstr("unknown field 'comand'"));
  add("own/e/1", R"({"command": ["x"], "health": {"test": ["HTTP"]}})");
  EXPECT_THAT(problem("e:1"), HasSubstr("health check is of no known form"));
  add("own/f/1", R"({"command": ["x"], "stop_signal": "SIGNONE"})");
  EXPECT_THAT(problem("f:1"), HasSubstr("'SIGNONE' is no signal"));
  add("own/g/1", R"({"command": "x"})");
  EXPECT_TRUE(absl::IsFailedPrecondition(find("g:1").status()));
}

TEST(Manifests, AreReadInFull) {
  const auto manifest = parse_manifest(R"({
    "command": ["./web", "-q"], "env": {"A": "1"}, "workdir": "data", "stop_signal": "SIGINT",
    "health": {"test": ["HTTP", "/health"], "interval_ms": 1000, "timeout_ms": 500,
               "start_period_ms": 2000, "retries": 4}})");
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_THAT(manifest->command, ElementsAre("./web", "-q"));
  EXPECT_EQ(manifest->env.at("A"), "1");
  EXPECT_EQ(manifest->workdir, "data");
  EXPECT_EQ(manifest->stop_signal, "SIGINT");
  ASSERT_TRUE(manifest->health.has_value());
  EXPECT_THAT(manifest->health->test, ElementsAre("HTTP", "/health"));
  EXPECT_EQ(manifest->health->interval, seconds(1));
  EXPECT_EQ(manifest->health->timeout, milliseconds(500));
  EXPECT_EQ(manifest->health->start_period, seconds(2));
  EXPECT_EQ(manifest->health->retries, 4);
}

}  // namespace
}  // namespace swarm::runtime
