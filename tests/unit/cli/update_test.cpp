#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

// `service update`: what a flag changes in the stored spec, and that nothing else does.
namespace swarm::cli {
namespace {

using model::PublishedPort;
using model::ServiceSpec;
using testing::ElementsAre;
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
      "--env-rm A --env-add A=1 --publish-rm 80 --publish-add 8080:80 --constraint-rm "
      "node.role==worker --constraint-add node.role==worker --mount-rm /a --mount-add "
      "target=/a --label-rm team --label-add team=shop");
  EXPECT_EQ(web(), before);
}

TEST_F(Update, RemovalsComeFirstWhateverTheOrderOfFlags) {
  update("--env-add A=new --env-rm A");
  EXPECT_THAT(web().task.container.env, ElementsAre("B=2", "A=new"));
}

TEST_F(Update, PublishRmMatchesTargetProtocolAndMode) {
  update("--publish-rm 443");  // of another mode: stays
  EXPECT_THAT(web().task.ports, SizeIs(3));
  update("--publish-rm mode=host,target=443 --publish-rm 9999:81");
  EXPECT_THAT(web().task.ports, ElementsAre(PublishedPort{.target = 80, .published = 8080}));
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
  update("--label-rm team --label-rm missing --label-add a=1 --container-label-add b=2");
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
