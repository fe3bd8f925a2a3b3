#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/executor.h"
#include "base/event_loop.h"
#include "base/random.h"

namespace swarm::runtime {

// How one task behaves. The defaults: a task that works, quickly, until it is stopped.
struct FakeScript {
  Duration prepare_time = milliseconds(50);
  Duration start_time = milliseconds(20);
  // From the start; nothing: it is never heard of again.
  std::optional<Duration> healthy_after = milliseconds(30);
  std::optional<Duration> unhealthy_after;
  // Target ports that nothing in the container listens at; only those added later are asked.
  std::set<uint16_t> refused_ports;
  std::optional<Duration> exits_after;
  int32_t exit_code = 0;
  // From the stop signal; longer than the grace period means killed.
  Duration stop_time = milliseconds(20);
  Duration remove_time = milliseconds(5);
  // Not OK: every such call of the task fails with it.
  Status prepare_status;
  Status start_status;
  // So many calls fail with UNAVAILABLE before one succeeds.
  int prepare_refusals = 0;
  int start_refusals = 0;
};

// Chooses the script of a task when it is prepared.
using ScriptOf = std::function<FakeScript(const agent::TaskLabels&, const model::TaskTemplate&)>;

// A script drawn by chance: most tasks work, some are slow, crash, are unhealthy or cannot start.
ScriptOf random_script(Random random);

// An engine that runs nothing: scripted tasks on the time of a loop, for tests and for simulation.
// It outlives agents: a new listener is a new client, and calls of the old one that were in flight
// have either taken effect or not, by chance.
//
// It checks that its client keeps the contract of agent::Executor: one call at a time for a task,
// start after prepare, remove only what has ended.
class FakeExecutor final : public agent::Executor {
 public:
  FakeExecutor(EventLoop& loop, Random random, ScriptOf script_of = default_script());

  static ScriptOf default_script();

  void describe(absl::AnyInvocable<void(Result<agent::EngineDescription>)> done) override;
  void set_listener(Listener listener) override;
  void set_condition_listener(
      absl::AnyInvocable<void(const agent::EngineCondition&)> listener) override;
  void list(const model::SwarmId& swarm, const model::NodeId& node,
            absl::AnyInvocable<void(Result<std::vector<agent::ExistingTask>>)> done) override;
  void prepare(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
               absl::AnyInvocable<void(Result<std::string>)> done) override;
  void start(const model::TaskId& task, Done done) override;
  void publish(const model::TaskId& task, const std::vector<model::PublishedPort>& ports) override;
  void stop(const model::TaskId& task, Duration grace, Done done) override;
  void remove(const model::TaskId& task, Done done) override;

  // ---- the world's side ----

  // The container ends now, by itself. Nothing if it does not run.
  void crash(const model::TaskId& task, int32_t exit_code);
  // Somebody else stops it; it ends in order.
  void stop_from_outside(const model::TaskId& task);
  void fail_health(const model::TaskId& task, std::string why = "");
  // It is paused, or loses its network, and is back as it was.
  void cut_off(const model::TaskId& task, std::string why);
  void reconnect(const model::TaskId& task);
  // A running container that nobody asked for any more: a call that was given up took effect late.
  void appear(const agent::TaskLabels& labels);
  // Somebody removes the container behind the agent's back.
  void lose(const model::TaskId& task);
  // The machine goes down and comes up again: everything that ran has ended; no events.
  void reboot();
  // While it does not answer, every call fails with UNAVAILABLE.
  void set_answering(bool is_answering);
  void set_description(agent::EngineDescription description);

  std::set<model::TaskId> running() const;
  // Of a task that exists.
  const agent::TaskLabels& labels(const model::TaskId& task) const {
    return containers_.at(task)->view.labels;
  }
  bool exists(const model::TaskId& task) const { return containers_.contains(task); }
  // How often the task was started, over all time.
  int starts(const model::TaskId& task) const;
  // Told every call as it comes: "start <task>".
  void set_journal(std::function<void(std::string)> journal) { journal_ = std::move(journal); }

 private:
  using State = agent::ExistingTask::State;

  struct Container {
    explicit Container(EventLoop& loop) : life(loop), health(loop), ports(loop), call(loop) {}

    agent::ExistingTask view;
    std::vector<agent::TaskAddress> made_for;  // the addresses a new client finds
    FakeScript script;
    int preparations = 0;
    int launches = 0;
    bool is_created = false;
    Timer life;    // its own end
    Timer health;  // the next change of health
    Timer ports;   // when those that were added are found to be served
    Timer call;    // the call in flight
    Callback effect;
  };

  Container& container(const model::TaskId& task);
  void note(const std::string& call, const model::TaskId& task);
  // Runs `effect` after `delay`, unless the client goes away meanwhile.
  void begin_call(const model::TaskId& task, Duration delay, Callback effect);
  void answer(Done done, Status status);
  void run(Container& container);
  void end(Container& container, int32_t exit_code, bool is_external_stop = false);
  void schedule_health(Container& container);
  void emit(const model::TaskId& task, agent::ExecutorEvent event);

  EventLoop& loop_;
  Random random_;
  ScriptOf script_of_;
  Listener listener_;
  absl::AnyInvocable<void(const agent::EngineCondition&)> condition_listener_;
  agent::EngineDescription description_;
  bool is_answering_ = true;
  uint64_t client_ = 0;
  std::map<model::TaskId, std::unique_ptr<Container>> containers_;
  std::map<model::TaskId, int> starts_;
  std::function<void(std::string)> journal_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
