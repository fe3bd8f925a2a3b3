#include "manager/incident_log.h"

#include <algorithm>
#include <string>
#include <vector>

#include "support/decider_harness.h"

namespace swarm::manager {
namespace {

using model::RolloutState;
using model::TaskState;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Logs what it observes, as the leader does, and decides nothing.
class Witness final : public state::Reconciler {
 public:
  const char* name() const override { return "witness"; }
  void load(const state::View&, WallTime) override {}
  void observe(const state::View& view, const std::vector<state::Change>& changes) override {
    log_incidents(view, changes);
  }
  state::ChangeSet decide(const state::View&, WallTime) override { return {}; }
  bool has_more() const override { return false; }
  std::optional<WallTime> next_deadline(const state::View&) const override { return std::nullopt; }
};

class WitnessedStore final : public test::DeciderHarness {
 public:
  WitnessedStore() : DeciderHarness(make()) {}

  // The lines that storing `object` writes to the log, without their time.
  template <class T>
  std::vector<std::string> log_of(T object) {
    testing::internal::CaptureStderr();
    put(std::move(object));
    return lines_of(testing::internal::GetCapturedStderr());
  }

 private:
  static Deciders make() {
    Deciders deciders;
    deciders.push_back(std::make_unique<Witness>());
    return deciders;
  }
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string line = text.substr(begin, end - begin);
      lines.push_back(line.substr(line.find(' ') + 1));
      begin = end + 1;
    }
    return lines;
  }
};

class IncidentLog : public testing::Test {
 protected:
  IncidentLog() {
    const model::Service web = test::service_of("web", 3);
    state::ChangeSet changes;
    changes.put(test::revision_of(web));
    changes.put(web);
    changes.put(test::ready_node("w2"));
    changes.put(test::running_task(web, "t1", 2, "w2"));
    testing::internal::CaptureStderr();
    store_.commit(std::move(changes));
    testing::internal::GetCapturedStderr();
  }

  model::Service web() const { return *store_.view().service_by_name("web"); }
  model::Task task() const { return *store_.view().task(model::TaskId("t1")); }
  model::Node node(const char* id) const { return *store_.view().node(model::NodeId(id)); }
  // The log of a rollout from revision 1 to 2 that enters a state.
  std::vector<std::string> log_of_rollout(RolloutState state, const std::string& message) {
    model::Service service = web();
    model::Rollout& rollout = service.rollout.edit();
    rollout.from = 1;
    rollout.to = 2;
    rollout.state = state;
    rollout.message = message;
    return store_.log_of(service);
  }
  std::vector<std::string> log_of_node(model::NodeState state, const std::string& message) {
    model::Node changed = node("w2");
    changed.status.state = state;
    changed.status.message = message;
    return store_.log_of(changed);
  }

  WitnessedStore store_;
};

TEST_F(IncidentLog, TellsHowARolloutBeginsAndCompletes) {
  EXPECT_THAT(log_of_rollout(RolloutState::updating, "update in progress"),
              ElementsAre("info rollout changed state service=web state=updating from=1 to=2 "
                          "message=\"update in progress\""));
  EXPECT_THAT(log_of_rollout(RolloutState::completed, "update completed"),
              ElementsAre("info rollout changed state service=web state=completed from=1 to=2 "
                          "message=\"update completed\""));
}

TEST_F(IncidentLog, WarnsOfARolloutThatPausesOrRollsBackWithTheCause) {
  const std::string cause = "due to failure of task t1: web.2 on node w2: exit code 1";
  log_of_rollout(RolloutState::updating, "update in progress");
  EXPECT_THAT(log_of_rollout(RolloutState::paused, "update paused " + cause),
              ElementsAre("warning rollout changed state service=web state=paused from=1 to=2 "
                          "message=\"update paused " +
                          cause + "\""));
  EXPECT_THAT(log_of_rollout(RolloutState::rollback_started, "update rolled back " + cause),
              ElementsAre("warning rollout changed state service=web state=rollback_started "
                          "from=1 to=2 message=\"update rolled back " +
                          cause + "\""));
}

TEST_F(IncidentLog, ARolloutResumedToTheSameRevisionIsTold) {
  log_of_rollout(RolloutState::updating, "update in progress");
  model::Service again = web();
  again.rollout.edit().started_at = store_.now();
  EXPECT_THAT(store_.log_of(again), SizeIs(1));
}

TEST_F(IncidentLog, WarnsOfATaskThatFailsOnce) {
  model::Task failed = task();
  failed.status.state = TaskState::failed;
  failed.status.error = "exit code 1";
  EXPECT_THAT(store_.log_of(failed),
              ElementsAre("warning task failed service=web slot=2 task=t1 revision=1 node=host-w2 "
                          "state=failed error=\"exit code 1\""));
  model::Task retired = task();
  retired.desired = TaskState::shutdown;
  EXPECT_THAT(store_.log_of(retired), IsEmpty()) << "it had failed before";
}

TEST_F(IncidentLog, TellsOfANodeThatIsLostAndComesBack) {
  EXPECT_THAT(log_of_node(model::NodeState::down, "heartbeat failure"),
              ElementsAre("warning node changed state node=host-w2 id=w2 state=down "
                          "message=\"heartbeat failure\""));
  EXPECT_THAT(log_of_node(model::NodeState::ready, ""),
              ElementsAre("info node changed state node=host-w2 id=w2 state=ready message=\"\""));
}

TEST_F(IncidentLog, ANodeThatHasNotSaidItsHostnameIsNamedByItsId) {
  model::Node nameless = test::ready_node("w3");
  nameless.description.hostname.clear();
  store_.put(nameless);
  nameless = node("w3");
  nameless.status.state = model::NodeState::down;
  EXPECT_THAT(store_.log_of(nameless),
              ElementsAre("warning node changed state node=w3 id=w3 state=down message=\"\""));
}

TEST_F(IncidentLog, SaysNothingOfWhatIsNoIncident) {
  model::Task stopping = task();
  stopping.status.message = "stopping";
  stopping.desired = TaskState::shutdown;
  EXPECT_THAT(store_.log_of(stopping), IsEmpty());
  model::Service scaled = web();
  scaled.settings.replicas = 5;
  EXPECT_THAT(store_.log_of(scaled), IsEmpty());
  model::Node labelled = node("w2");
  labelled.spec.labels["zone"] = "a";
  EXPECT_THAT(store_.log_of(labelled), IsEmpty());
}

}  // namespace
}  // namespace swarm::manager
