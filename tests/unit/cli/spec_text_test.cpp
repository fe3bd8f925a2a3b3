#include "cli/spec_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarm::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Words = std::vector<std::string>;

TEST(ShellWords, SplitsAtSpacesOutsideQuotes) {
  EXPECT_THAT(*split_shell_words("sh -c 'echo  \"hi\"'  x"),
              ElementsAre("sh", "-c", "echo  \"hi\"", "x"));
  EXPECT_THAT(*split_shell_words("a\\ b \"c\\\"d\" '\\n'"), ElementsAre("a b", "c\"d", "\\n"));
  EXPECT_THAT(*split_shell_words("'' \"\""), ElementsAre("", ""));
  EXPECT_THAT(*split_shell_words("  "), IsEmpty());
}

TEST(ShellWords, RefusesOpenQuotes) {
  EXPECT_THAT(std::string(split_shell_words("sh 'x").status().message()),
              HasSubstr("a quote is not closed"));
  EXPECT_FALSE(split_shell_words("x\\").ok());
}

TEST(Mounts, ReadsAllOptions) {
  const model::Mount mount = *parse_mount("type=bind,src=/a,dst=/b,ro");
  EXPECT_EQ(mount.type, model::MountType::bind);
  EXPECT_EQ(mount.source, "/a");
  EXPECT_EQ(mount.target, "/b");
  EXPECT_TRUE(mount.read_only);
  EXPECT_EQ(parse_mount("target=/b")->type, model::MountType::volume);
  EXPECT_FALSE(parse_mount("target=/b,readonly=false")->read_only);
}

TEST(Mounts, RefusesWhatCannotBe) {
  for (const char* text : {"", "type=bind,source=/a", "type=bind,target=/b", "type=npipe,target=/b",
                           "type=tmpfs,source=/a,target=/b", "target=/b,readonly=maybe", "target",
                           "target=", "target=/b,,"}) {
    EXPECT_FALSE(parse_mount(text).ok()) << text;
  }
}

TEST(Env, KeepsTheOrderOfWhatIsThere) {
  Words env = {"A=1", "B=2", "C=3"};
  set_env(env, "B=x=y");
  set_env(env, "D=");
  EXPECT_THAT(env, ElementsAre("A=1", "B=x=y", "C=3", "D="));
}

TEST(EnvFile, SkipsCommentsAndEmptyLines) {
  EXPECT_THAT(*parse_env_file("# c\n\nA=1\r\n  B=two words\nC\n"),
              ElementsAre("A=1", "B=two words", "C"));
  EXPECT_FALSE(parse_env_file("A B=1").ok());
  EXPECT_FALSE(parse_env_file("=1").ok());
}

TEST(KeyValues, NeedAKey) {
  EXPECT_EQ(parse_key_value("a=b=c")->second, "b=c");
  EXPECT_EQ(parse_key_value("a")->second, "");
  EXPECT_FALSE(parse_key_value("=b").ok());
  EXPECT_FALSE(parse_key_value("").ok());
}

TEST(Lists, SameValuesKeepTheirOldOrder) {
  Words after = {"c", "a", "b"};
  keep_order_if_same(Words{"a", "b", "c"}, after);
  EXPECT_THAT(after, ElementsAre("a", "b", "c"));
  Words longer = {"c", "a", "b", "d"};
  keep_order_if_same(Words{"a", "b", "c"}, longer);
  EXPECT_THAT(longer, ElementsAre("c", "a", "b", "d"));
}

}  // namespace
}  // namespace swarm::cli
