#include "control/services.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "control/nodes.h"
#include "model/validate.h"
#include "unit/control/control_fixture.h"

namespace swarm::control {
namespace {

using absl::StatusCode;
using model::RolloutState;
using testing::ElementsAre;

class ServicesTest : public ControlTest {
 protected:
  void given_web() { ASSERT_TRUE(create(spec_of("web")).ok()); }
  void update_image(const std::string& image) {
    model::ServiceSpec spec = stored_spec();
    spec.task.container.image = image;
    const Status status = update(spec);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string image() const { return stored_spec().task.container.image; }
  // What the orchestrators note when all slots run at the present revision.
  void converge() {
    model::Service converged = service();
    std::erase(converged.converged, converged.revision);
    converged.converged.push_back(converged.revision);
    given(converged);
  }

  int counter_ = 0;
};

TEST_F(ServicesTest, CreateBeginsWithRevisionOneAndNoRollout) {
  given_web();
  EXPECT_EQ(service().revision, 1u);
  EXPECT_EQ(service().previous_revision, 0u);
  EXPECT_EQ(service().last_revision, 1u);
  EXPECT_FALSE(service().rollout);
  EXPECT_EQ(stored_spec(), spec_of("web"));
  EXPECT_EQ(service().id.value().size(), 25u);
}

TEST_F(ServicesTest, CreateGivesANameToAServiceWithoutOne) {
  ASSERT_TRUE(create(spec_of("")).ok());
  ASSERT_TRUE(create(spec_of("")).ok());
  std::set<std::string> names;
  for (const auto& [id, service] : view().services()) {
    EXPECT_TRUE(model::validate_name(service->settings.name).ok()) << service->settings.name;
    names.insert(service->settings.name);
  }
  EXPECT_EQ(names.size(), 2u);
}

TEST_F(ServicesTest, TheIdOfAServiceFollowsFromTheRequestThatMakesIt) {
  EXPECT_EQ(service_id_of(7), service_id_of(7));
  EXPECT_NE(service_id_of(7), service_id_of(8));
  EXPECT_EQ(service_id_of(7).value().size(), 25u);
  const auto created = create_service(context(), spec_of(""), service_id_of(7));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->id, service_id_of(7));
}

TEST_F(ServicesTest, ANodeInAConstraintIsFoundByAPrefixOfItsId) {
  given(node_of("abcd1", model::Role::worker), node_of("abcd2", model::Role::worker),
        node_of("xyz", model::Role::worker));
  model::ServiceSpec spec = spec_of("web");
  spec.task.placement.edit().constraints = {"node.id == XY", "node.id!=abcd1"};
  ASSERT_TRUE(create(spec).ok());
  EXPECT_THAT(stored_spec().task.placement->constraints,
              ElementsAre("node.id!=abcd1", "node.id==xyz"));
  for (const auto& [constraint, words] : {std::pair("node.id==abc", "is ambiguous (2 matches"),
                                          std::pair("node.id==nobody", "names no node"),
                                          std::pair("node.id!=nobody", "names no node")}) {
    spec.name = "other";
    spec.task.placement.edit().constraints = {constraint};
    EXPECT_TRUE(fails_with(create(spec), StatusCode::kInvalidArgument, words)) << constraint;
  }
}

TEST_F(ServicesTest, AConstraintOutlivesItsNode) {
  given(node_of("xyz", model::Role::worker));
  model::ServiceSpec spec = spec_of("web");
  spec.task.placement.edit().constraints = {"node.id==xyz"};
  ASSERT_TRUE(create(spec).ok());
  ASSERT_TRUE(apply(remove_node(context(), "xyz", true, {})).ok());
  update_image("web:1.1");
  EXPECT_THAT(stored_spec().task.placement->constraints, ElementsAre("node.id==xyz"));
}

TEST_F(ServicesTest, CreateRefusesANameInUse) {
  given_web();
  EXPECT_TRUE(
      fails_with(create(spec_of("web")), StatusCode::kAlreadyExists, "\"web\" already exists"));
}

TEST_F(ServicesTest, CreateRefusesBadInputBeforeAnythingElse) {
  given_web();
  model::ServiceSpec bad = spec_of("web");
  bad.task.container.image = "Not An Image";
  EXPECT_TRUE(fails_with(create(bad), StatusCode::kInvalidArgument, "image"));
}

TEST_F(ServicesTest, CreateRefusesASpecOfTwoMebibytes) {
  model::ServiceSpec large = spec_of("web");
  large.task.container.args.assign(32, std::string(model::kMaxTextBytes, 'x'));
  EXPECT_TRUE(fails_with(create(large), StatusCode::kInvalidArgument, "bytes"));
  EXPECT_EQ(store.head(), 0u);
}

TEST_F(ServicesTest, TheLargestSpecFitsATransactionWithItsNewRevision) {
  model::ServiceSpec large = spec_of("web");
  large.task.container.args.assign(7, std::string(model::kMaxTextBytes, 'x'));
  EXPECT_TRUE(create(large).ok());
  large.task.container.image = "web:1.1";
  EXPECT_TRUE(update(large).ok());
}

TEST_F(ServicesTest, UpdateOfTheTemplateMakesARevisionAndARollout) {
  given_web();
  update_image("web:1.1");
  EXPECT_EQ(service().revision, 2u);
  EXPECT_EQ(service().previous_revision, 1u);
  EXPECT_THAT(history(), ElementsAre(1, 2));
  ASSERT_TRUE(service().rollout);
  EXPECT_EQ(service().rollout->state, RolloutState::updating);
  EXPECT_EQ(service().rollout->from, 1u);
  EXPECT_EQ(service().rollout->to, 2u);
  EXPECT_EQ(service().rollout->started_at, kNow);
  EXPECT_EQ(service().rollout->message, "update in progress");
  EXPECT_EQ(service().rollout->slots_changed, 0u);
}

TEST_F(ServicesTest, UpdateOfAnythingElseKeepsRevisionAndRollout) {
  given_web();
  update_image("web:1.1");
  const auto rollout = service().rollout;
  model::ServiceSpec spec = stored_spec();
  spec.replicas = 5;
  spec.labels["team"] = "a";
  spec.update.edit().parallelism = 2;
  ASSERT_TRUE(update(spec).ok());
  EXPECT_EQ(stored_spec(), spec);
  EXPECT_EQ(service().revision, 2u);
  EXPECT_EQ(service().previous_revision, 1u);
  EXPECT_EQ(service().rollout, rollout);
}

TEST_F(ServicesTest, UpdateThatChangesNothingIsNoTransaction) {
  given_web();
  const model::Position head = store.head();
  EXPECT_TRUE(update(stored_spec()).ok());
  EXPECT_EQ(store.head(), head);
}

TEST_F(ServicesTest, UpdateThatOnlyWritesTheSameDifferentlyMakesNoRevision) {
  model::ServiceSpec spec = spec_of("web");
  spec.task.ports = {port(8080), port(9090, 90)};
  spec.task.placement.edit().constraints = {"node.role==worker", "node.labels.a==1"};
  const std::vector<std::string> spaced = {"NODE.role == worker", " node.labels.a== 1"};
  spec.task.placement.edit().preferences = {"spread=node.labels.zone"};
  ASSERT_TRUE(create(spec).ok());
  const model::Position head = store.head();
  std::swap(spec.task.ports[0], spec.task.ports[1]);
  std::swap(spec.task.placement.edit().constraints[0], spec.task.placement.edit().constraints[1]);
  EXPECT_TRUE(update(spec).ok());
  spec.task.placement.edit().constraints = spaced;
  spec.task.placement.edit().preferences = {"node.labels.zone"};
  spec.task.container.health = model::HealthCheck();
  EXPECT_TRUE(update(spec).ok());
  EXPECT_EQ(store.head(), head);
}

TEST_F(ServicesTest, ForceMakesARevision) {
  given_web();
  model::ServiceSpec spec = stored_spec();
  spec.task.force_update += 1;
  ASSERT_TRUE(update(spec).ok());
  EXPECT_EQ(service().revision, 2u);
}

TEST_F(ServicesTest, UpdateReplacesARolloutThatRuns) {
  given_web();
  update_image("web:1.1");
  model::Service paused = service();
  paused.rollout.edit().state = RolloutState::paused;
  paused.rollout.edit().failed_slots = {1};
  given(paused);
  update_image("web:1.2");
  EXPECT_EQ(service().rollout->state, RolloutState::updating);
  EXPECT_EQ(service().rollout->from, 2u);
  EXPECT_EQ(service().rollout->to, 3u);
  EXPECT_TRUE(service().rollout->failed_slots.empty());
}

TEST_F(ServicesTest, UpdateRefusesAStaleVersionANewNameAndAnUnknownService) {
  given_web();
  const model::ServiceId id = service().id;
  EXPECT_TRUE(fails_with(apply(update_service(context(), id, 99, stored_spec())),
                         StatusCode::kAborted, "update out of sequence"));
  EXPECT_TRUE(
      fails_with(apply(update_service(context(), id, service().meta.version, spec_of("api"))),
                 StatusCode::kInvalidArgument, "cannot be renamed"));
  EXPECT_TRUE(
      fails_with(apply(update_service(context(), model::ServiceId("none"), 1, spec_of("web"))),
                 StatusCode::kNotFound, "not found"));
}

TEST_F(ServicesTest, RollbackIsCyclical) {
  given_web();
  converge();
  update_image("web:1.1");
  converge();
  ASSERT_TRUE(roll_back("web").ok());
  EXPECT_EQ(image(), "web:1.0");
  EXPECT_EQ(service().revision, 1u);
  EXPECT_EQ(service().previous_revision, 2u);
  EXPECT_EQ(service().rollout->state, RolloutState::rollback_started);
  EXPECT_EQ(service().rollout->message, "manually requested rollback");
  EXPECT_FALSE(service().rollout->is_automatic);
  converge();
  ASSERT_TRUE(roll_back("web").ok());
  EXPECT_EQ(image(), "web:1.1");
  EXPECT_EQ(service().revision, 2u);
  EXPECT_EQ(service().previous_revision, 1u);
  EXPECT_THAT(history(), ElementsAre(1, 2));
}

TEST_F(ServicesTest, RollbackGoesAnywhereInTheHistory) {
  given_web();
  for (const char* image : {"web:1.1", "web:1.2", "web:1.3"}) {
    update_image(image);
    converge();
  }
  ASSERT_TRUE(roll_back("web", 2).ok());
  EXPECT_EQ(image(), "web:1.1");
  EXPECT_EQ(service().rollout->from, 4u);
  ASSERT_TRUE(roll_back("web").ok());
  EXPECT_EQ(image(), "web:1.3");
  EXPECT_TRUE(fails_with(roll_back("web", 9), StatusCode::kNotFound,
                         "has no revision 9: its history holds 1, 2, 3, 4"));
}

TEST_F(ServicesTest, RollbackPassesOverRevisionsThatNeverConverged) {
  given_web();
  converge();
  update_image("web:bad");
  update_image("web:worse");
  ASSERT_TRUE(roll_back("web").ok());
  EXPECT_EQ(image(), "web:1.0");
}

TEST_F(ServicesTest, RollbackToNothingThatConvergedNamesTheWayOut) {
  given_web();
  update_image("web:1.1");
  EXPECT_TRUE(fails_with(roll_back("web"), StatusCode::kFailedPrecondition,
                         "no other revision of service \"web\" has converged"));
  EXPECT_TRUE(roll_back("web", 1).ok());
}

TEST_F(ServicesTest, AnyUpdateResumesARolloutThatIsPaused) {
  using Edit = void (*)(model::ServiceSpec&);
  const Edit edits[] = {
      [](model::ServiceSpec&) {},
      [](model::ServiceSpec& spec) { spec.labels["a"] = "b"; },
      [](model::ServiceSpec& spec) {
        spec.update.edit().failure_action = model::FailureAction::rollback;
      },
      [](model::ServiceSpec& spec) { spec.replicas = 5; },
  };
  for (const RolloutState state : {RolloutState::paused, RolloutState::rollback_paused}) {
    for (const Edit edit : edits) {
      const std::string name = "web" + std::to_string(++counter_);
      ASSERT_TRUE(create(spec_of(name)).ok());
      model::ServiceSpec spec = stored_spec(name);
      spec.task.container.image = "web:1.1";
      ASSERT_TRUE(update(spec).ok());
      model::Service paused = service(name);
      paused.rollout.edit().state = state;
      paused.rollout.edit().failed_slots = {1};
      paused.rollout.edit().trial_passed_at = now;
      given(paused);
      now += seconds(1);
      edit(spec);
      ASSERT_TRUE(update(spec).ok());
      const model::Rollout& rollout = *service(name).rollout;
      EXPECT_EQ(rollout.state, state == RolloutState::paused ? RolloutState::updating
                                                             : RolloutState::rollback_started);
      EXPECT_EQ(rollout.to, 2u);
      EXPECT_EQ(rollout.started_at, now) << "what failed before is no failure of it";
      EXPECT_TRUE(rollout.failed_slots.empty());
      EXPECT_FALSE(is_set(rollout.trial_passed_at));
    }
  }
}

TEST_F(ServicesTest, ScalingDoesNotResumeARolloutThatIsPaused) {
  given_web();
  update_image("web:1.1");
  model::Service paused = service();
  paused.rollout.edit().state = RolloutState::paused;
  given(paused);
  ASSERT_TRUE(apply(scale_service(context(), "web", 5)).ok());
  EXPECT_EQ(service().rollout->state, RolloutState::paused);
}

TEST_F(ServicesTest, RollbackKeepsScaleLabelsAndPolicies) {
  given_web();
  converge();
  update_image("web:1.1");
  model::ServiceSpec spec = stored_spec();
  spec.replicas = 7;
  spec.labels["a"] = "b";
  spec.update.edit().delay = seconds(3);
  ASSERT_TRUE(update(spec).ok());
  ASSERT_TRUE(roll_back("web").ok());
  spec.task.container.image = "web:1.0";
  EXPECT_EQ(stored_spec(), spec);
}

TEST_F(ServicesTest, RollbackWithoutAPreviousRevisionIsRefused) {
  given_web();
  EXPECT_TRUE(fails_with(roll_back("web"), StatusCode::kFailedPrecondition,
                         "does not have a previous revision"));
  EXPECT_TRUE(fails_with(roll_back("nope"), StatusCode::kNotFound, "not found"));
}

TEST_F(ServicesTest, RollbackToTheCurrentRevisionChangesNothing) {
  given_web();
  update_image("web:1.1");
  const model::Position head = store.head();
  EXPECT_TRUE(roll_back("web", 2).ok());
  EXPECT_EQ(store.head(), head);
}

TEST_F(ServicesTest, UpdateAfterARollbackTakesAFreshNumber) {
  given_web();
  converge();
  update_image("web:1.1");
  ASSERT_TRUE(roll_back("web").ok());
  update_image("web:1.2");
  EXPECT_EQ(service().revision, 3u);
  EXPECT_EQ(service().previous_revision, 1u);
}

TEST_F(ServicesTest, HistoryIsBoundedButKeepsWhatIsInUse) {
  given_web();
  given(task_of("web", "t1", 1));  // of revision 1
  for (int i = 1; i <= 20; ++i) {
    update_image("web:1." + std::to_string(i));
  }
  // In use: 21 (current), 20 (previous), 19 (previous, should the rollout turn back), 1 (a task);
  // and ten more. What a rollback may go to is in use, too.
  EXPECT_THAT(history(), ElementsAre(1, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21));
}

TEST_F(ServicesTest, ScaleChangesNothingButReplicas) {
  given_web();
  update_image("web:1.1");
  model::Service expected = service();
  ASSERT_TRUE(apply(scale_service(context(), "web", 4)).ok());
  expected.settings.replicas = 4;
  expected.meta = service().meta;
  EXPECT_EQ(service(), expected);
  EXPECT_TRUE(fails_with(apply(scale_service(context(), "web", 1'000'000)),
                         StatusCode::kInvalidArgument, "too large"));
  EXPECT_TRUE(
      fails_with(apply(scale_service(context(), "nope", 1)), StatusCode::kNotFound, "not found"));
}

TEST_F(ServicesTest, RemoveMarksTheServiceAndFreesItsName) {
  given_web();
  const model::ServiceId id = service().id;
  ASSERT_TRUE(apply(remove_service(context(), "web")).ok());
  EXPECT_TRUE(view().service(id)->is_removed);
  EXPECT_TRUE(
      fails_with(apply(remove_service(context(), "web")), StatusCode::kNotFound, "not found"));
  EXPECT_TRUE(fails_with(apply(update_service(context(), id, 1, spec_of("web"))),
                         StatusCode::kNotFound, "not found"));
  given_web();
  EXPECT_NE(service().id, id);
}

}  // namespace
}  // namespace swarm::control
