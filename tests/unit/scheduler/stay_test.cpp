#include <algorithm>

#include "base/random.h"
#include "unit/scheduler/fixture.h"

// A task stays where it is, unless spread gets better by moving it.
namespace swarm::scheduler {
namespace {

using model::TaskState;
using Counts = std::map<std::string, int>;
using Places = std::map<model::Slot, std::string>;

void publish_on_host(model::TaskTemplate& task) {
  task.ports = {{80, 9600, model::PortProtocol::tcp, model::PublishMode::host}};
}
void mount_volume(model::TaskTemplate& task) {
  task.container.mounts = {{.type = model::MountType::volume, .source = "data", .target = "/data"}};
}
void stay_in_zones(model::TaskTemplate& task) {
  task.placement.edit().preferences = {"node.labels.zone"};
}

enum class Order { start_first, stop_first };

// A service, and what a rollout does to its slots as far as the scheduler sees it.
class Updated {
 public:
  Updated(int nodes, uint64_t replicas, Cluster::TemplateEdit edit = {})
      : web_(test::service_of("web", replicas)), edit_(std::move(edit)) {
    if (nodes > 0) {
      cluster.add_nodes(nodes);
    }
    cluster.add(web_, edit_);
  }

  Cluster cluster;

  void place_all() {
    for (model::Slot slot = 1; slot <= web_.settings.replicas; ++slot) {
      start(slot);
    }
    finish(Order::start_first);
  }
  void run_on(model::Slot slot, const std::string& node) {
    current_[slot] = name_of(slot);
    cluster.add(test::running_task(web_, current_[slot], slot, node));
  }

  // `service update --force`.
  void update(Order order, size_t parallelism) {
    ++web_.revision;
    web_.last_revision = web_.revision;
    model::Revision revision = test::revision_of(web_);
    if (edit_) {
      edit_(revision.task);
    }
    model::Service updated = *cluster.view().service(web_.id);
    updated.revision = web_.revision;
    updated.last_revision = web_.last_revision;
    state::ChangeSet changes;
    changes.put(std::move(revision));
    changes.put(std::move(updated));
    cluster.commit(std::move(changes));
    for (model::Slot slot = 1; slot <= web_.settings.replicas;) {
      state::ChangeSet batch;
      for (size_t i = 0; i < parallelism && slot <= web_.settings.replicas; ++i, ++slot) {
        move(slot, order, batch);
      }
      cluster.commit(std::move(batch));
      cluster.run();
      finish(order);
    }
  }

  // Its last task ends and the restart policy makes the next.
  void crash(model::Slot slot) {
    cluster.change_task(current_[slot], [&](model::Task& task) {
      task.status.state = TaskState::failed;
      task.status.at = cluster.now();
      task.desired = TaskState::shutdown;
    });
    start(slot);
    finish(Order::start_first);
  }

  Places places() const {
    Places found;
    for (const auto& [slot, id] : current_) {
      found[slot] = cluster.task(id).node.value();
    }
    return found;
  }
  Counts counts() const { return cluster.counts(); }

 private:
  std::string name_of(model::Slot slot) {
    return "web." + std::to_string(slot) + "." + std::to_string(++last_task_);
  }
  void start(model::Slot slot) {
    started_[slot] = name_of(slot);
    cluster.add(test::pending_task(web_, started_[slot], slot));
  }
  void move(model::Slot slot, Order order, state::ChangeSet& changes) {
    started_[slot] = name_of(slot);
    model::Task next = test::pending_task(web_, started_[slot], slot);
    if (order == Order::stop_first) {
      model::Task old = cluster.task(current_[slot]);
      old.desired = TaskState::shutdown;
      next.desired = TaskState::ready;
      next.predecessor = old.id;
      changes.put(std::move(old));
    }
    changes.put(std::move(next));
  }
  // What was started runs, and what it replaces has stopped.
  void finish(Order order) {
    for (const auto& [slot, id] : started_) {
      const auto stop_old = [&] {
        if (current_.contains(slot)) {
          cluster.change_task(current_[slot], [](model::Task& task) {
            task.desired = TaskState::shutdown;
            task.status.state = std::max(task.status.state, TaskState::shutdown);
          });
        }
      };
      const auto run_new = [&, next = id] {
        ASSERT_FALSE(cluster.task(next).node.is_empty()) << next;
        cluster.change_task(next, [&](model::Task& task) {
          task.desired = TaskState::running;
          task.status.state = TaskState::running;
          task.status.running_since = cluster.now();
        });
      };
      if (order == Order::stop_first) {
        stop_old();
        run_new();
      } else {
        run_new();
        stop_old();
      }
      current_[slot] = id;
    }
    started_.clear();
  }

  model::Service web_;
  const Cluster::TemplateEdit edit_;
  int last_task_ = 0;
  std::map<model::Slot, std::string> current_;
  std::map<model::Slot, std::string> started_;
};

void expect_twenty_updates_move_nothing(Updated& web, Order order, size_t parallelism) {
  const Places before = web.places();
  for (int i = 0; i < 20; ++i) {
    web.update(order, parallelism);
    ASSERT_EQ(web.places(), before) << "after update " << i + 1 << ", parallelism " << parallelism;
  }
}

void expect_stays(int nodes, uint64_t replicas, const Cluster::TemplateEdit& edit = {}) {
  for (const Order order : {Order::start_first, Order::stop_first}) {
    for (const size_t parallelism : {size_t{1}, size_t{2}, size_t{replicas}}) {
      Updated web(nodes, replicas, edit);
      web.place_all();
      expect_twenty_updates_move_nothing(web, order, parallelism);
    }
  }
}

TEST(Stay, TwentyForcedUpdatesMoveNothing) {
  expect_stays(3, 3);
  expect_stays(3, 6);
  expect_stays(2, 3);
  expect_stays(3, 1);
}

TEST(Stay, TwentyForcedUpdatesMoveNothingBetweenZones) {
  for (const size_t parallelism : {1, 2, 6}) {
    Updated web(0, 6, &stay_in_zones);
    for (const auto& [id, zone] :
         {std::pair("a1", "a"), std::pair("a2", "a"), std::pair("b1", "b"), std::pair("b2", "b")}) {
      web.cluster.add(test::labelled_node(id, "zone", zone));
    }
    web.place_all();
    ASSERT_EQ(web.counts(), (Counts{{"a1", 2}, {"a2", 1}, {"b1", 2}, {"b2", 1}}));
    expect_twenty_updates_move_nothing(web, Order::start_first, parallelism);
  }
}

TEST(Stay, TwentyForcedUpdatesMoveNothingOnFullNodes) {
  for (const size_t parallelism : {1, 2, 6}) {
    Updated web(4, 6, [](model::TaskTemplate& task) {
      task.resources.edit().reservations.memory_bytes = 500 * test::kMiB;
      task.placement.edit().max_replicas_per_node = 2;
    });
    for (model::Slot slot = 1; slot <= 6; ++slot) {
      web.run_on(slot, "node" + std::to_string(1 + slot % 3));  // node4 is free
    }
    const Places before = web.places();
    web.update(Order::start_first, parallelism);
    // Only what evens out the spread moves.
    EXPECT_EQ(web.counts().at("node4"), 1);
    const Places once = web.places();
    EXPECT_EQ(
        std::count_if(before.begin(), before.end(),
                      [&](const auto& entry) { return once.at(entry.first) != entry.second; }),
        1);
    expect_twenty_updates_move_nothing(web, Order::start_first, parallelism);
  }
}

TEST(Stay, OneReplicaStaysThoughOtherNodesAreEmptier) {
  for (const Cluster::TemplateEdit& edit :
       {Cluster::TemplateEdit{}, Cluster::TemplateEdit{&publish_on_host},
        Cluster::TemplateEdit{&mount_volume}}) {
    Updated web(3, 1, edit);
    const model::Service other = test::service_of("other", 3);
    web.cluster.add(other);
    for (model::Slot slot = 1; slot <= 3; ++slot) {
      web.cluster.add(test::running_task(other, "o" + std::to_string(slot), slot, "node2"));
    }
    web.run_on(1, "node2");
    expect_twenty_updates_move_nothing(web, Order::start_first, 1);
    expect_twenty_updates_move_nothing(web, Order::stop_first, 1);
  }
}

TEST(Stay, UpdateEvensOutWhatIsNotTiedToItsNode) {
  Updated web(2, 4);
  for (model::Slot slot = 1; slot <= 4; ++slot) {
    web.run_on(slot, "node1");
  }
  web.update(Order::start_first, 1);
  EXPECT_EQ(web.counts(), (Counts{{"node1", 2}, {"node2", 2}}));
}

TEST(Stay, HostPortsAndDataNeverMoveByAnUpdate) {
  for (const auto edit : {&publish_on_host, &mount_volume}) {
    for (const size_t parallelism : {1, 4}) {
      Updated web(2, 4, edit);
      for (model::Slot slot = 1; slot <= 4; ++slot) {
        web.run_on(slot, "node1");
      }
      expect_twenty_updates_move_nothing(web, Order::start_first, parallelism);
    }
  }
}

TEST(Stay, HostPortMovesOffANodeThatTakesNothing) {
  Updated web(2, 1, &publish_on_host);
  web.run_on(1, "node2");
  web.cluster.change_node(
      "node2", [](model::Node& node) { node.spec.availability = model::Availability::drain; });
  web.update(Order::start_first, 1);
  EXPECT_EQ(web.places(), (Places{{1, "node1"}}));
}

TEST(Stay, CrashedTaskComesBackToItsNodeUntilItKeepsFailingThere) {
  for (const auto edit : {&publish_on_host, &mount_volume}) {
    Updated web(3, 1, edit);
    web.run_on(1, "node2");
    for (int crash = 1; crash <= 4; ++crash) {
      web.crash(1);
      EXPECT_EQ(web.places(), (Places{{1, "node2"}})) << "crash " << crash;
    }
    web.crash(1);
    EXPECT_EQ(web.places(), (Places{{1, "node1"}}));
  }
}

TEST(Stay, NewLeaderKnowsWhereATaskRanLast) {
  Updated web(3, 1, &publish_on_host);
  web.run_on(1, "node2");
  web.cluster.new_leader();
  web.crash(1);
  web.cluster.new_leader();
  web.update(Order::stop_first, 1);
  EXPECT_EQ(web.places(), (Places{{1, "node2"}}));
}

// Two nodes, slot 1 of `web` on node1, which fell silent just now, and its successor to be placed.
class SuspectHome : public testing::Test {
 protected:
  SuspectHome() {
    cluster_.add_nodes(2);
    cluster_.add(web_);
    cluster_.add(test::running_task(web_, "old", 1, "node1"));
    suspect([](model::Node&) {});
  }
  void suspect(const std::function<void(model::Node&)>& change) {
    cluster_.change_node("node1", [&](model::Node& node) {
      node.status.state = model::NodeState::suspect;
      node.status.at = cluster_.now();
      change(node);
    });
  }
  void become(model::NodeState state) {
    cluster_.change_node("node1", [&](model::Node& node) { node.status.state = state; });
  }
  model::Task add_successor() {
    cluster_.add(test::pending_task(web_, "new", 1));
    return successor();
  }
  model::Task successor() const { return cluster_.task("new"); }

  Cluster cluster_;
  const model::Service web_ = test::service_of("web", 1);
};

TEST_F(SuspectHome, ASuccessorWaitsAndStaysWhenTheNodeIsBack) {
  const model::Task waiting = add_successor();
  EXPECT_TRUE(waiting.node.is_empty());
  EXPECT_EQ(waiting.status.wait, model::WaitReason::no_suitable_node);
  EXPECT_EQ(waiting.status.message, "waiting for node host-node1, which is not heard of");
  EXPECT_EQ(waiting.status.error, "");
  become(model::NodeState::ready);
  EXPECT_EQ(successor().node, model::NodeId("node1"));
}

TEST_F(SuspectHome, ASuccessorMovesAtOnceWhenTheNodeIsLost) {
  add_successor();
  become(model::NodeState::down);
  EXPECT_EQ(successor().node, model::NodeId("node2"));
}

TEST_F(SuspectHome, ASuccessorMovesWhenTheSuspicionLastsLongerThanHeartbeatsMayBeMissed) {
  add_successor();
  cluster_.advance(seconds(2));
  EXPECT_TRUE(successor().node.is_empty());
  cluster_.new_leader();
  cluster_.run();
  EXPECT_TRUE(successor().node.is_empty());
  cluster_.advance(seconds(1));
  EXPECT_EQ(successor().node, model::NodeId("node2"));
}

TEST_F(SuspectHome, ANodeThatWouldNotTakeTheSuccessorAnywayIsNotWaitedFor) {
  suspect([](model::Node& node) { node.spec.availability = model::Availability::drain; });
  EXPECT_EQ(add_successor().node, model::NodeId("node2"));
}

TEST_F(SuspectHome, ANewSlotWaitsForNobody) {
  cluster_.add_pending(web_, 1, 2);
  EXPECT_EQ(cluster_.task(Cluster::id_of(web_, 2)).node, model::NodeId("node2"));
}

// From anywhere: zones as even as they can be, and the nodes of each zone, too.
TEST(Stay, SpreadAfterAnUpdateIsNoWorseThanThatOfAFreshPlacement) {
  const uint64_t seed = Random::from_system().next();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int run = 0; run < 30; ++run) {
    const uint64_t replicas = 1 + random.below(12);
    Updated web(0, replicas, &stay_in_zones);
    const size_t nodes = 1 + random.below(6);
    std::map<std::string, std::string> zone_of;
    for (size_t i = 0; i < nodes; ++i) {
      const std::string id = "n" + std::to_string(i);
      zone_of[id] = "z" + std::to_string(random.below(3));
      web.cluster.add(test::labelled_node(id, "zone", zone_of[id]));
    }
    for (model::Slot slot = 1; slot <= replicas; ++slot) {
      web.run_on(slot, "n" + std::to_string(random.below(nodes)));
    }
    web.update(random.chance(0.5) ? Order::start_first : Order::stop_first,
               1 + random.below(replicas));
    std::map<std::string, int> zones;
    std::map<std::string, std::pair<int, int>> of_zone;  // fewest and most tasks of a node
    for (const auto& [id, zone] : zone_of) {
      const Counts counts = web.counts();
      const auto found = counts.find(id);
      const int count = found == counts.end() ? 0 : found->second;
      zones[zone] += count;
      const auto [range, is_new] = of_zone.try_emplace(zone, count, count);
      range->second = {std::min(range->second.first, count), std::max(range->second.second, count)};
    }
    const auto [least, most] =
        std::minmax_element(zones.begin(), zones.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
    EXPECT_LE(most->second - least->second, 1);
    for (const auto& [zone, range] : of_zone) {
      EXPECT_LE(range.second - range.first, 1) << zone;
    }
  }
}

}  // namespace
}  // namespace swarm::scheduler
