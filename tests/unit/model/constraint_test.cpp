#include <gtest/gtest.h>

#include "model/validate.h"
#include "unit/model/verdict.h"

namespace swarm::model {
namespace {

TEST(ParseConstraint, TakesEveryKnownKeyAndBothOperators) {
  const std::pair<const char*, Constraint> rows[] = {
      {"node.id==abc", {"node.id", true, "abc"}},
      {"node.hostname!=web-1.example", {"node.hostname", false, "web-1.example"}},
      {"node.ip==10.0.0.0/8", {"node.ip", true, "10.0.0.0/8"}},
      {"node.role==manager", {"node.role", true, "manager"}},
      {"node.platform.os==linux", {"node.platform.os", true, "linux"}},
      {"node.platform.arch == x86_64", {"node.platform.arch", true, "x86_64"}},
      {"node.labels.zone!=a b", {"node.labels.zone", false, "a b"}},
      {"engine.labels.com.example/disk==ssd", {"engine.labels.com.example/disk", true, "ssd"}},
      {" NODE.Labels.Zone == A ", {"node.labels.Zone", true, "A"}},
  };
  for (const auto& [text, constraint] : rows) {
    const auto parsed = parse_constraint(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, constraint) << text;
  }
}

TEST(ParseConstraint, NamesBothOperatorsWhenThereIsNone) {
  for (const char* text : {"", "node.role", "node.role=manager", "node.role<manager"}) {
    EXPECT_TRUE(is_refused(parse_constraint(text).status(),
                           {"constraint \"", "has no operator", "KEY==VALUE or KEY!=VALUE"}))
        << text;
  }
}

TEST(ParseConstraint, ListsTheKnownKeysWhenOneIsUnknown) {
  for (const char* text :
       {"node.color==red", "==a", "role==worker", "node.labels.==a", "node.labels==a",
        "node.labels.a b==c", "node.idx==1", "node.labels.a\x1b==c"}) {
    EXPECT_TRUE(is_refused(parse_constraint(text).status(),
                           {"unknown key",
                            "node.id, node.hostname, node.ip, node.role, "
                            "node.platform.os, node.platform.arch, node.labels.NAME and "
                            "engine.labels.NAME"}))
        << text;
  }
}

TEST(ParseConstraint, RefusesBadValues) {
  for (const char* text : {"node.id==", "node.id==  "}) {
    EXPECT_TRUE(is_refused(parse_constraint(text).status(), {"has no value"})) << text;
  }
  for (const char* text : {"node.ip==10.0.0", "node.ip!=web", "node.ip==10.0.0.0/33"}) {
    EXPECT_TRUE(is_refused(parse_constraint(text).status(), {"names no address", "10.0.0.0/8"}))
        << text;
  }
  EXPECT_TRUE(is_refused(parse_constraint("node.role==boss").status(), {"worker or manager"}));
  EXPECT_TRUE(parse_constraint("node.role!=MANAGER").ok());
}

// Whatever may be the value of a label can be asked for.
TEST(ParseConstraint, TakesTheValueOfEveryLabel) {
  for (const char* value : {"a b,c", "Z\u00fcrich", "k=a=b", "a==b", "a!=b", "", " a ", "\"a\"",
                            "'a'", "\"'a'\"", "\"", "'\"", "{{.X}}", "a\nb", "%$#@;&|<>"}) {
    const Constraint wanted{"node.labels.X!,\u00fc", true, value};
    const std::string text = format_constraint(wanted);
    const auto parsed = parse_constraint(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, wanted) << text;
  }
  EXPECT_EQ(parse_constraint("node.labels.x == 'a b'")->value, "a b");
  EXPECT_EQ(parse_constraint("node.labels.x==a b,c")->value, "a b,c");
  EXPECT_EQ(format_constraint(*parse_constraint(" NODE.role == manager")), "node.role==manager");
}

TEST(ParsePreference, GivesTheLabelToSpreadOver) {
  EXPECT_EQ(*parse_preference("spread=node.labels.zone"), "node.labels.zone");
  EXPECT_EQ(*parse_preference("spread=engine.labels.rack"), "engine.labels.rack");
  EXPECT_EQ(*parse_preference("node.labels.zone"), "node.labels.zone");
  for (const char* text : {"", "spread=", "spread=node.role", "spread=node.labels.",
                           "pack=node.labels.zone", "zone"}) {
    EXPECT_TRUE(is_refused(parse_preference(text).status(),
                           {"placement preference", "use spread=node.labels.NAME"}))
        << text;
  }
}

}  // namespace
}  // namespace swarm::model
