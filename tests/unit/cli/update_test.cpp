#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "cli/removals.h"
#include "fixture.h"

// `service update`: what a flag changes in the stored spec, and that nothing else does.
namespace swarm::cli {
namespace {

using model::PublishedPort;
using model::ServiceSpec;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Update : public testing::Test {
 protected:
  Update() { fill_with_sample(fixture_.swarm); }

  ServiceSpec web() { return fixture_.swarm.service("web").spec(); }

  void update(const std::string& flags) {
    const RunResult result = fixture_.run("service update -d " + flags + " web");
    EXPECT_EQ(result.exit_code, 0) << flags << "\n" << result.err;
    EXPECT_EQ(result.out, "web\n");
  }

  Fixture fixture_;
};

TEST_F(Update, WithoutFlagsChangesNothing) {
  const ServiceSpec before = web();
  update("");
  EXPECT_EQ(web(), before);
}

TEST_F(Update, OneFlagChangesOneField) {
  ServiceSpec expected = web();
  expected.task.container.image = "web:1.1";
  update("--image web:1.1");
  EXPECT_EQ(web(), expected);
}

TEST_F(Update, PolicyFlagsKeepTheOthers) {
  update("--update-delay 1s");
  update("--update-parallelism 4");
  EXPECT_EQ(web().update->delay, seconds(1));
  EXPECT_EQ(web().update->parallelism, 4);
}

TEST_F(Update, EnvKeepsItsOrder) {
  update("--env-add B=new --env-add C=3");
  EXPECT_THAT(web().task.container.env, ElementsAre("A=1", "B=new", "C=3"));
  update("--env-rm A");
  EXPECT_THAT(web().task.container.env, ElementsAre("B=new", "C=3"));
}

TEST_F(Update, RemovingAndAddingTheSameChangesNothing) {
  fixture_.swarm.service("web").task.placement.edit().constraints = {"node.role==worker",
                                                                     "node.labels.zone==a"};
  update("--mount-add target=/a --mount-add target=/b");
  const ServiceSpec before = web();
  update(
      "--publish-rm 80 --publish-add 8080:80 --constraint-rm node.role==worker --constraint-add "
      "node.role==worker --mount-rm /a --mount-add target=/a");
  EXPECT_EQ(web(), before);
}

TEST_F(Update, RemovalsComeFirstWhateverTheOrderOfFlags) {
  update("--publish-add 9090:80 --publish-rm 80");
  EXPECT_THAT(
      web().task.ports,
      ElementsAre(PublishedPort{.target = 81, .published = 8081},
                  PublishedPort{.target = 443, .published = 8443, .mode = model::PublishMode::host},
                  PublishedPort{.target = 80, .published = 9090}));
}

// Removing a key and setting it leaves it to the order of two flags what was meant.
TEST_F(Update, AKeyCannotBeGoneAndThereAtOnce) {
  const ServiceSpec before = web();
  for (const char* flags : {"--env-add A=new --env-rm A", "--env-rm B --env-add B=2",
                            "--label-rm team --label-add team=x", "--env-add NEW=1 --env-rm NEW",
                            "--env-rm NEW=1 --env-add NEW=1",
                            "--container-label-rm tier --container-label-add tier=x"}) {
    const RunResult result = fixture_.run(std::string("service update -d ") + flags + " web");
    EXPECT_EQ(result.exit_code, 125) << flags;
    EXPECT_THAT(result.err, HasSubstr("contradicts")) << flags;
    EXPECT_EQ(web(), before) << flags;
  }
  const RunResult result = fixture_.run("node update --label-rm zone --label-add zone=b node-10");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("--label-rm zone contradicts --label-add zone"));
}

struct RemovalCase {
  const char* flag;
  std::vector<const char*> matching;  // each takes out the same thing
  std::vector<const char*> missing;
  const char* there;  // what the error offers instead
};

std::vector<RemovalCase> removal_cases() {
  return {
      {"--label-rm", {"team", "team=shop"}, {"NOPE", "team=other", ""}, "web has team\n"},
      {"--container-label-rm", {"tier", "tier=front"}, {"NOPE", "tier=back"}, "web has tier\n"},
      {"--env-rm", {"B", "B=2"}, {"NOPE", "b", "B=3", ""}, "web has A, B\n"},
      {"--mount-rm", {"/data"}, {"/dat", "data", "/data/"}, "web has /data, /more\n"},
      {"--publish-rm",
       {"81", "8081:81", "8081", "81/tcp", "target=81,published=8081", "mode=ingress,target=81"},
       {"9999", "8081:80", "81/udp", "mode=host,target=81"},
       "web has 8080:80, 8081:81, mode=host,target=443,published=8443\n"},
      {"--constraint-rm",
       {"node.role==worker", "node.role == worker", " NODE.role==worker "},
       {"node.role==manager", "node.role!=worker", "nonsense"},
       "web has node.role==worker, node.labels.a==b c\n"},
      {"--placement-pref-rm",
       {"spread=node.labels.zone", "node.labels.zone"},
       {"spread=node.labels.rack"},
       "web has spread=node.labels.zone\n"},
  };
}

class Removals : public Update {
 protected:
  Removals() {
    model::TaskTemplate& task = fixture_.swarm.service("web").task;
    task.container.labels.edit()["tier"] = "front";
    task.container.mounts = {
        {.type = model::MountType::volume, .source = "data", .target = "/data"},
        {.type = model::MountType::volume, .source = "more", .target = "/more"}};
    task.placement.edit().constraints = {"node.role==worker", "node.labels.a==b c"};
    task.placement.edit().preferences = {"node.labels.zone"};
  }
  RunResult remove(const std::string& flag, const std::string& text) {
    return fixture_.run("service update -d " + flag + " '" + text + "' web");
  }
};

TEST_F(Removals, EveryFlagIsInTheTable) {
  std::set<std::string> tried;
  for (const RemovalCase& row : removal_cases()) {
    tried.insert(row.flag);
  }
  std::set<std::string> known;
  for (const Removal& removal : removals()) {
    known.insert(std::string(removal.flag));
  }
  EXPECT_EQ(tried, known);
}

TEST_F(Removals, WhatIsGivenNarrowsTheMatch) {
  const ServiceSpec before = web();
  for (const RemovalCase& row : removal_cases()) {
    std::optional<ServiceSpec> after;
    for (const char* text : row.matching) {
      const RunResult result = remove(row.flag, text);
      EXPECT_EQ(result.exit_code, 0) << row.flag << " " << text << "\n" << result.err;
      EXPECT_NE(web(), before) << row.flag << " " << text;
      EXPECT_EQ(web(), after.value_or(web())) << row.flag << " " << text;
      after = web();
      api::Client::ServiceSummary& stored = fixture_.swarm.service("web");
      static_cast<model::ServiceSettings&>(stored.service.settings) = before;
      stored.task = before.task;
    }
  }
}

TEST_F(Removals, NoMatchIsAnErrorThatNamesWhatIsThereAndChangesNothing) {
  const ServiceSpec before = web();
  const model::Position version = fixture_.swarm.service("web").service.meta.version;
  for (const RemovalCase& row : removal_cases()) {
    for (const char* text : row.missing) {
      const RunResult result =
          fixture_.run(std::string("service update -d --image web:9 --replicas 9 ") + row.flag +
                       " '" + text + "' web");
      EXPECT_EQ(result.exit_code, 1) << row.flag << " " << text;
      EXPECT_THAT(result.err,
                  HasSubstr(std::string("Error: ") + row.flag + " " + text + ": no such"))
          << row.flag << " " << text;
      EXPECT_THAT(result.err, HasSubstr(row.there)) << row.flag << " " << text;
      EXPECT_EQ(web(), before) << row.flag << " " << text;
    }
  }
  EXPECT_EQ(fixture_.swarm.service("web").service.meta.version, version);
}

TEST_F(Removals, OneOfSeveralWithoutMatchChangesNothing) {
  const ServiceSpec before = web();
  const RunResult result = fixture_.run("service update -d --env-rm A --env-rm NOPE web");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(web(), before);
  fixture_.run("service update -d --env-rm A --env-rm A web");
  EXPECT_THAT(web().task.container.env, ElementsAre("B=2"));
}

TEST_F(Removals, WithNothingToRemoveSayNone) {
  EXPECT_THAT(fixture_.run("service update -d --env-rm A api").err,
              HasSubstr("no such environment variable; service api has none"));
}

// 8180:80 and 8181:80: the one that is named goes.
TEST_F(Removals, PublishRmClosesOnlyThePortItNames) {
  fixture_.swarm.service("web").task.ports = {{.target = 80, .published = 8180},
                                              {.target = 80, .published = 8181}};
  EXPECT_EQ(remove("--publish-rm", "8181:80").exit_code, 0);
  EXPECT_THAT(web().task.ports, ElementsAre(PublishedPort{.target = 80, .published = 8180}));
  EXPECT_EQ(remove("--publish-rm", "80").exit_code, 0);
  EXPECT_THAT(web().task.ports, IsEmpty());
}

// As in the reference a lone number is a target port; only where there is none a published one.
TEST_F(Removals, PublishRmTakesANumberForATargetFirst) {
  fixture_.swarm.service("web").task.ports = {{.target = 8080, .published = 80},
                                              {.target = 90, .published = 8080}};
  EXPECT_EQ(remove("--publish-rm", "8080").exit_code, 0);
  EXPECT_THAT(web().task.ports, ElementsAre(PublishedPort{.target = 90, .published = 8080}));
  EXPECT_EQ(remove("--publish-rm", "8080").exit_code, 0);
  EXPECT_THAT(web().task.ports, IsEmpty());
}

TEST_F(Update, AddingAConstraintThatIsThereIsNoChange) {
  update("--constraint-add node.role==worker");
  const ServiceSpec before = web();
  update("--constraint-add 'node.role == worker'");
  EXPECT_EQ(web(), before);
}

TEST_F(Update, PublishRmAndAddMovesAPort) {
  update("--publish-rm 80 --publish-rm 81 --publish-add 9090:80");
  EXPECT_THAT(
      web().task.ports,
      ElementsAre(PublishedPort{.target = 443, .published = 8443, .mode = model::PublishMode::host},
                  PublishedPort{.target = 80, .published = 9090}));
}

TEST_F(Update, PublishAddOfTheSamePortIsNoChange) {
  const ServiceSpec before = web();
  update("--publish-add 8080:80");
  EXPECT_EQ(web(), before);
}

TEST_F(Update, MountAddReplacesTheSameTarget) {
  update("--mount-add source=v1,target=/data --mount-add source=x,target=/x");
  update("--mount-add source=v2,target=/data");
  ASSERT_THAT(web().task.container.mounts, SizeIs(2));
  EXPECT_EQ(web().task.container.mounts[0].source, "v2");
  EXPECT_EQ(
      fixture_.run("service update -d --mount-add target=/a --mount-add target=/a web").exit_code,
      125);
}

TEST_F(Update, PreferencesAreAppendedInOrder) {
  update(
      "--placement-pref-add spread=node.labels.zone --placement-pref-add "
      "spread=node.labels.rack");
  EXPECT_THAT(web().task.placement->preferences,
              ElementsAre("node.labels.zone", "node.labels.rack"));
  update(
      "--placement-pref-rm spread=node.labels.zone --placement-pref-add "
      "spread=node.labels.zone");
  EXPECT_THAT(web().task.placement->preferences,
              ElementsAre("node.labels.rack", "node.labels.zone"));
}

TEST_F(Update, LabelsOfServiceAndContainerAreApart) {
  update("--label-rm team --label-add a=1 --container-label-add b=2");
  EXPECT_EQ(web().labels, (model::Labels{{"a", "1"}}));
  EXPECT_EQ(*web().task.container.labels, (model::Labels{{"b", "2"}}));
  update("--container-label-rm b");
  EXPECT_THAT(*web().task.container.labels, IsEmpty());
}

TEST_F(Update, EmptyValuesClear) {
  update("--args 'run --fast' --entrypoint sh --workdir /srv --health-cmd true");
  EXPECT_THAT(web().task.container.args, ElementsAre("run", "--fast"));
  update("--args= --entrypoint '' --workdir= --health-cmd=");
  EXPECT_THAT(web().task.container.args, IsEmpty());
  EXPECT_THAT(web().task.container.overrides->entrypoint, IsEmpty());
  EXPECT_EQ(web().task.container.overrides->workdir, "");
  EXPECT_THAT(web().task.container.health->test, IsEmpty());
}

TEST_F(Update, ClearingWhatIsNotSetSaysWhatWasMaybeMeant) {
  const ServiceSpec before = web();
  const RunResult entrypoint = fixture_.run("service update -d --entrypoint '' web");
  EXPECT_EQ(entrypoint.exit_code, 1);
  EXPECT_THAT(entrypoint.err, HasSubstr("has nothing to clear: the image's entrypoint is in use"));
  const RunResult health = fixture_.run("service update -d --health-cmd '' web");
  EXPECT_EQ(health.exit_code, 1);
  EXPECT_THAT(health.err, HasSubstr("use --no-healthcheck"));
  EXPECT_EQ(web(), before);
}

TEST_F(Update, AHealthCheckIsSwitchedOffAndOnAgain) {
  update("--health-cmd NONE");
  EXPECT_THAT(web().task.container.health->test, ElementsAre("NONE"));
  update("--health-cmd ''");
  EXPECT_THAT(web().task.container.health->test, IsEmpty());
  update("--no-healthcheck");
  update("--no-healthcheck=false");
  EXPECT_THAT(web().task.container.health->test, IsEmpty());
}

TEST_F(Update, HealthFlagsMergeAndReviveASwitchedOffCheck) {
  update("--health-cmd true --health-retries 5");
  update("--health-interval 1s");
  EXPECT_EQ(web().task.container.health->retries, 5);
  update("--no-healthcheck");
  EXPECT_THAT(web().task.container.health->test, ElementsAre("NONE"));
  update("--health-interval 1s");
  EXPECT_THAT(web().task.container.health->test, IsEmpty());
}

TEST_F(Update, SwitchesCanBeTurnedOff) {
  update("--init --read-only");
  EXPECT_TRUE(web().task.container.init);
  update("--init=false");
  EXPECT_FALSE(web().task.container.init);
  EXPECT_TRUE(web().task.container.read_only);
}

TEST_F(Update, ForceRaisesTheCounter) {
  update("--force");
  update("--force");
  EXPECT_EQ(web().task.force_update, 2);
  update("--force=false");
  EXPECT_EQ(web().task.force_update, 2);
}

TEST_F(Update, RollbackGoesToThePreviousRevision) {
  update("--image web:1.1");
  const RunResult result = fixture_.run("service update -d --rollback web");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(fixture_.swarm.service("web").service.revision, 1);
  EXPECT_EQ(fixture_.swarm.rolled_back_to, std::nullopt);
}

TEST_F(Update, RollbackCommandTakesARevision) {
  const RunResult result = fixture_.run("service rollback -d --to 5 web");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "web\n");
  EXPECT_EQ(fixture_.swarm.rolled_back_to, 5);
}

TEST_F(Update, ScaleChangesSeveralServicesBeforeItWaits) {
  const RunResult result = fixture_.run("service scale -d web=5 nothing=2 api=0");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "web scaled to 5\napi scaled to 0\n");
  EXPECT_EQ(web().replicas, 5);
  EXPECT_EQ(fixture_.swarm.service("api").service.settings.replicas, 0);
}

TEST_F(Update, ABadScaleSpecifierChangesNothing) {
  EXPECT_EQ(fixture_.run("service scale -d web=5 api=x").exit_code, 1);
  EXPECT_EQ(web().replicas, 3);
}

}  // namespace
}  // namespace swarm::cli
