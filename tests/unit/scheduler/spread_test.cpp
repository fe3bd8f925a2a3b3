#include "unit/scheduler/fixture.h"

namespace swarm::scheduler {
namespace {

using Counts = std::map<std::string, int>;

void spread_by_zone(model::TaskTemplate& task) {
  task.placement.edit().preferences = {"node.labels.zone"};
}

void spread_by_zone_and_ask_for_memory(model::TaskTemplate& task) {
  spread_by_zone(task);
  task.resources.edit().reservations.memory_bytes = test::kMiB;
}

TEST(Spread, ZonesShareEvenlyHoweverManyNodesTheyHave) {
  Cluster cluster;
  cluster.add(test::labelled_node("a1", "zone", "a"));
  cluster.add(test::labelled_node("b1", "zone", "b"));
  cluster.add(test::labelled_node("b2", "zone", "b"));
  cluster.add(test::labelled_node("b3", "zone", "b"));
  const model::Service web = test::service_of("web", 6);
  cluster.add(web, &spread_by_zone);
  cluster.add_pending(web, 6);
  EXPECT_EQ(cluster.counts(), (Counts{{"a1", 3}, {"b1", 1}, {"b2", 1}, {"b3", 1}}));
}

// x has 3, y none, place 5: 4 and 4.
TEST(Spread, WhatRunsCountsAsPartOfTheShare) {
  Cluster cluster;
  cluster.add(test::labelled_node("x", "zone", "x"));
  cluster.add(test::labelled_node("y", "zone", "y"));
  const model::Service web = test::service_of("web", 8);
  cluster.add(web, &spread_by_zone);
  for (model::Slot slot = 1; slot <= 3; ++slot) {
    cluster.add(test::running_task(web, "old" + std::to_string(slot), slot, "x"));
  }
  cluster.add_pending(web, 5, 4);
  EXPECT_EQ(cluster.counts(), (Counts{{"x", 4}, {"y", 4}}));
}

// x has 3, y none, z no room, place 9: the reference gives 5/7 or 4/8, fair is 6/6.
TEST(Spread, FullZoneLeavesTheRestToTheOthersEvenly) {
  Cluster cluster;
  cluster.add(test::labelled_node("x", "zone", "x"));
  cluster.add(test::labelled_node("y", "zone", "y"));
  model::Node full = test::labelled_node("z", "zone", "z");
  full.description.resources = {};
  cluster.add(full);
  const model::Service web = test::service_of("web", 12);
  cluster.add(web, &spread_by_zone_and_ask_for_memory);
  for (model::Slot slot = 1; slot <= 3; ++slot) {
    cluster.add(test::running_task(web, "old" + std::to_string(slot), slot, "x"));
  }
  cluster.add_pending(web, 9, 4);
  EXPECT_EQ(cluster.counts(), (Counts{{"x", 6}, {"y", 6}}));
}

TEST(Spread, ZoneThatFillsUpOnTheWayLeavesTheRestToTheOthers) {
  Cluster cluster;
  cluster.add(test::labelled_node("x", "zone", "x"));
  model::Node small = test::labelled_node("y", "zone", "y");
  small.description.resources.memory_bytes = 2 * test::kMiB;
  cluster.add(small);
  cluster.add(test::labelled_node("z", "zone", "z"));
  const model::Service web = test::service_of("web", 10);
  cluster.add(web, &spread_by_zone_and_ask_for_memory);
  cluster.add_pending(web, 10);
  EXPECT_EQ(cluster.counts(), (Counts{{"x", 4}, {"y", 2}, {"z", 4}}));
}

TEST(Spread, TasksOnNodesThatTakeNoMoreStillCountForTheirZone) {
  Cluster cluster;
  model::Node drained = test::labelled_node("x1", "zone", "x");
  drained.spec.availability = model::Availability::drain;
  cluster.add(drained);
  cluster.add(test::labelled_node("x2", "zone", "x"));
  cluster.add(test::labelled_node("y", "zone", "y"));
  const model::Service web = test::service_of("web", 4);
  cluster.add(web, &spread_by_zone);
  cluster.add(test::running_task(web, "old1", 1, "x1"));
  cluster.add(test::running_task(web, "old2", 2, "x1"));
  cluster.add_pending(web, 2, 3);
  EXPECT_EQ(cluster.counts(), (Counts{{"x1", 2}, {"y", 2}}));
}

TEST(Spread, NodesWithoutTheLabelAreABranchOfTheirOwn) {
  Cluster cluster;
  cluster.add(test::ready_node("plain1"));
  cluster.add(test::ready_node("plain2"));
  cluster.add(test::labelled_node("a", "zone", "a"));
  const model::Service web = test::service_of("web", 4);
  cluster.add(web, &spread_by_zone);
  cluster.add_pending(web, 4);
  EXPECT_EQ(cluster.counts(), (Counts{{"a", 2}, {"plain1", 1}, {"plain2", 1}}));
}

TEST(Spread, PreferencesAreLevelsOfATree) {
  Cluster cluster;
  for (const auto& [id, zone, rack] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"a1", "a", "1"}, {"a2", "a", "2"}, {"a3", "a", "2"}, {"b1", "b", "1"}}) {
    model::Node node = test::labelled_node(id, "zone", zone);
    node.spec.labels["rack"] = rack;
    cluster.add(node);
  }
  const model::Service web = test::service_of("web", 8);
  cluster.add(web, [](model::TaskTemplate& task) {
    task.placement.edit().preferences = {"node.labels.zone", "node.labels.rack"};
  });
  cluster.add_pending(web, 8);
  EXPECT_EQ(cluster.counts(), (Counts{{"a1", 2}, {"a2", 1}, {"a3", 1}, {"b1", 4}}));
}

}  // namespace
}  // namespace swarm::scheduler
