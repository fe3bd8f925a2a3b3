#include "model/validate.h"

#include <gtest/gtest.h>

#include <limits>

#include "unit/model/verdict.h"

namespace swarm::model {
namespace {

TEST(ValidateName, TakesDnsLabels) {
  for (const std::string& name :
       {std::string("a"), std::string("web"), std::string("Web-2_b"), std::string(63, 'x')}) {
    EXPECT_TRUE(validate_name(name).ok()) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("-web"), std::string("web-"), std::string("_web"),
        std::string("a.b"), std::string("a b"), std::string("a/b"), std::string(64, 'x'),
        std::string("w\xc3\xa9"), std::string("a\0b", 3)}) {
    EXPECT_TRUE(is_refused(validate_name(name), {"service name", "use 1 to 63 letters"})) << name;
  }
}

TEST(ValidateImage, TakesReferences) {
  const std::string digest = "@sha256:" + std::string(64, 'a');
  for (const std::string& image :
       {std::string("web"), std::string("web:1.0"), std::string("library/web:1.0-rc.1_2"),
        std::string("registry.example:5000/team/web:1.0"), std::string("localhost/web"),
        std::string("a__b/c--d.e"), "web" + digest, "web:1.0" + digest,
        std::string("Host.Example/web"), std::string("10.0.0.1:80/x")}) {
    EXPECT_TRUE(validate_image(image).ok()) << validate_image(image);
  }
  for (const std::string& image : {std::string(),
                                   std::string("Web"),
                                   std::string("web:"),
                                   std::string("web:1 0"),
                                   std::string("/web"),
                                   std::string("web/"),
                                   std::string("a//b"),
                                   std::string("web@"),
                                   std::string("web@sha256:12"),
                                   std::string("web@:") + std::string(64, 'a'),
                                   std::string("-web"),
                                   std::string("a_-b"),
                                   std::string("a..b"),
                                   std::string("a___b"),
                                   std::string("h.example:port/web"),
                                   std::string("-h.example/web"),
                                   std::string(300, 'a'),
                                   "web:" + std::string(129, 't'),
                                   std::string("web:.1"),
                                   std::string("we\nb")}) {
    EXPECT_TRUE(is_refused(validate_image(image), {"image \"", "e.g. web:1.0"})) << image;
  }
}

TEST(ValidateLabels, TakesUtf8ValuesAndPlainKeys) {
  EXPECT_TRUE(validate_labels(
                  {{"com.example.zone", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9d"}, {"empty", ""}})
                  .ok());
  for (const char* key : {"", "two words", "tab\tkey", "del\x7f", "a!", "a=b"}) {
    EXPECT_TRUE(is_refused(validate_labels({{key, "v"}}), {"label key", "use "})) << key;
  }
  for (const char* text : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xe0\x80\x80", "\xf0\x80\x80\x80", "\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_TRUE(is_refused(validate_labels({{"k", text}}), {"label \"k\"", "UTF-8"}));
    for (const size_t before : {7, 8, 9, 16}) {
      const std::string within = std::string(before, 'a') + text + std::string(8, 'a');
      EXPECT_TRUE(is_refused(validate_labels({{"k", within}}), {"label \"k\"", "UTF-8"}));
    }
  }
  EXPECT_TRUE(validate_labels({{"k", "eight by eight \xc3\xa9 and on and on"}}).ok());
}

TEST(ValidateLabels, AreBounded) {
  EXPECT_TRUE(is_refused(validate_labels({{"k", std::string(kMaxTextBytes + 1, 'v')}}),
                         {"65537 bytes", "at most 65536"}));
  Labels labels;
  for (size_t i = 0; i <= kMaxListItems; ++i) labels["k" + std::to_string(i)];
  EXPECT_TRUE(is_refused(validate_labels(labels), {"1001 items", "at most 1000"}));
}

TEST(ValidatePolicy, BoundsEveryField) {
  EXPECT_TRUE(validate_policy(UpdatePolicy(), "update").ok());
  struct Row {
    void (*spoil)(UpdatePolicy&);
    const char* words;
  };
  const Row rows[] = {
      {[](UpdatePolicy& p) { p.parallelism = kMaxReplicas + 1; }, "update parallelism \"100001\""},
      {[](UpdatePolicy& p) { p.delay = -seconds(1); }, "update delay \"-1s\" is negative"},
      {[](UpdatePolicy& p) { p.monitor = -seconds(1); }, "update monitor"},
      {[](UpdatePolicy& p) { p.monitor = Duration::max(); }, "is too long"},
      {[](UpdatePolicy& p) { p.min_ready = -seconds(1); }, "update min ready"},
      {[](UpdatePolicy& p) { p.progress_deadline = Duration::min(); }, "update progress deadline"},
      {[](UpdatePolicy& p) { p.max_failure_ratio = -0.1; }, "update max failure ratio"},
      {[](UpdatePolicy& p) { p.max_failure_ratio = 1.01; }, "use 0 to 1"},
      {[](UpdatePolicy& p) { p.max_failure_ratio = std::numeric_limits<double>::quiet_NaN(); },
       "use 0 to 1"},
  };
  for (const Row& row : rows) {
    UpdatePolicy policy;
    row.spoil(policy);
    EXPECT_TRUE(is_refused(validate_policy(policy, "update"), {row.words})) << row.words;
  }
}

TEST(ValidatePolicy, ARollbackCannotRollBack) {
  UpdatePolicy policy;
  policy.failure_action = FailureAction::rollback;
  EXPECT_TRUE(validate_policy(policy, "update").ok());
  EXPECT_TRUE(is_refused(validate_policy(policy, "rollback"), {"pause or continue"}));
}

TEST(ValidateSpec, ChecksEveryPart) {
  ServiceSpec good;
  good.name = "web";
  good.task.container.image = "web:1.0";
  good.replicas = 0;
  EXPECT_TRUE(validate_spec(good).ok());
  struct Row {
    void (*spoil)(ServiceSpec&);
    const char* words;
  };
  const Row rows[] = {
      {[](ServiceSpec& s) { s.name = "a b"; }, "service name \"a b\""},
      {[](ServiceSpec& s) { s.labels[""] = "x"; }, "label key"},
      {[](ServiceSpec& s) { s.replicas = kMaxReplicas + 1; }, "replicas \"100001\""},
      {[](ServiceSpec& s) { s.task.container.image = ""; }, "image"},
      {[](ServiceSpec& s) { s.update.edit().max_failure_ratio = 2; }, "update max failure ratio"},
      {[](ServiceSpec& s) { s.rollback.edit().delay = -seconds(1); }, "rollback delay"},
  };
  for (const Row& row : rows) {
    ServiceSpec spec = good;
    row.spoil(spec);
    EXPECT_TRUE(is_refused(validate_spec(spec), {row.words})) << row.words;
  }
}

TEST(ValidateSpec, ShowsLongAndUnprintableValuesSafely) {
  const std::string sentence(validate_name("\x1b[31m" + std::string(5000, 'x')).message());
  EXPECT_LT(sentence.size(), 300u);
  EXPECT_EQ(sentence.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace swarm::model
