#include "scheduler/filters.h"

#include <gtest/gtest.h>

#include "support/build.h"

namespace swarm::scheduler {
namespace {

using test::kCpu;
using test::kMiB;

NodeAccount account_of(model::Node node) {
  NodeAccount account;
  account.node = std::make_shared<const model::Node>(std::move(node));
  return account;
}

Needs needs_of(const model::TaskTemplate& task) {
  return parse_needs(model::ServiceId("web-id"), 1, task);
}

TEST(Filters, WhatIsReservedMustBeFree) {
  NodeAccount account = account_of(test::ready_node("n"));
  account.reserved = {3 * kCpu, 900 * kMiB};
  model::TaskTemplate task;
  task.resources.edit().reservations = {kCpu, 100 * kMiB};
  EXPECT_EQ(refusal(account, needs_of(task)), std::nullopt);
  task.resources.edit().reservations.nano_cpus += 1;
  EXPECT_EQ(refusal(account, needs_of(task)), Filter::resources);
  task.resources.edit().reservations = {0, 100 * kMiB + 1};
  EXPECT_EQ(refusal(account, needs_of(task)), Filter::resources);
}

model::Node troubled_node(model::ConditionKind kind) {
  model::Node node = test::ready_node("n");
  node.status.conditions = {{kind, "a reason", {}}};
  return node;
}

TEST(Filters, ANodeWhoseEngineDoesNotAnswerTakesNoTasks) {
  const NodeAccount account = account_of(troubled_node(model::ConditionKind::engine));
  EXPECT_EQ(refusal(account, needs_of({})), Filter::engine);
}

TEST(Filters, ANodeWhoseMeshDoesNotRunTakesNoTasksThatPublishPorts) {
  const NodeAccount account = account_of(troubled_node(model::ConditionKind::mesh));
  EXPECT_EQ(refusal(account, needs_of({})), std::nullopt);
  model::TaskTemplate task;
  task.ports = {{.target = 80, .published = 8080}};
  EXPECT_EQ(refusal(account, needs_of(task)), Filter::mesh);
}

TEST(Filters, OtherConditionsAreOnlyShown) {
  using model::ConditionKind;
  for (const auto kind : {ConditionKind::disk, ConditionKind::clock, ConditionKind::descriptors}) {
    EXPECT_EQ(refusal(account_of(troubled_node(kind)), needs_of({})), std::nullopt);
  }
}

TEST(Filters, TheEngineAndTheMeshHaveTheirSentence) {
  Refusals refusals{};
  refusals[static_cast<size_t>(Filter::engine)] = 2;
  refusals[static_cast<size_t>(Filter::mesh)] = 1;
  EXPECT_EQ(explain(refusals),
            "no suitable node (the engine does not answer on 2 nodes; the mesh does not run on 1 "
            "node)");
}

TEST(Filters, LimitsAreNotReservations) {
  model::TaskTemplate task;
  task.resources.edit().limits = {100 * kCpu, 100'000 * kMiB};
  EXPECT_EQ(refusal(account_of(test::ready_node("n")), needs_of(task)), std::nullopt);
}

TEST(Filters, OverbookedNodeTakesTasksThatAskForNothing) {
  NodeAccount account = account_of(test::ready_node("n"));
  account.reserved = {9 * kCpu, 9'000 * kMiB};
  EXPECT_EQ(refusal(account, needs_of({})), std::nullopt);
}

TEST(Filters, AllConstraintsMustHold) {
  model::Node node = test::labelled_node("n", "zone", "A");
  node.role = model::Role::manager;
  node.description.engine_labels["disk"] = "ssd";
  node.description.architecture = "x86_64";
  node.status.address = "10.0.3.7";
  node.spec.labels["city"] = "Z\u00fcrich, west";
  node.spec.labels["empty"] = "";
  const std::vector<std::pair<std::string, bool>> cases = {
      {"node.id==n", true},
      {"node.id!=n", false},
      {"node.hostname==HOST-n", true},
      {"node.role==manager", true},
      {"node.role==worker", false},
      {"node.platform.os==linux", true},
      {"node.platform.arch!=arm64", true},
      {"node.platform.arch==amd64", true},
      {"node.platform.arch!=AMD64", false},
      {"node.platform.arch==aarch64", false},
      {"node.ip==10.0.3.7", true},
      {"node.ip!=10.0.3.7", false},
      {"node.ip==10.0.0.0/16", true},
      {"node.ip!=10.0.0.0/16", false},
      {"node.ip==10.0.4.0/24", false},
      {"node.ip!=fd00::/8", true},
      {"node.labels.city==Z\u00fcrich, west", true},
      {"node.labels.empty==\"\"", true},
      {"node.labels.none==\"\"", true},
      {"node.labels.zone==\"\"", false},
      {"node.labels.zone==a", true},
      {"NODE.LABELS.zone==a", true},
      {"node.labels.Zone==a", false},
      {"node.labels.other!=a", true},
      {"node.labels.other==a", false},
      {"engine.labels.disk==ssd", true},
      {"node.unknown!=a", false},
  };
  for (const auto& [constraint, fits] : cases) {
    model::TaskTemplate task;
    task.placement.edit().constraints = {"node.platform.os==linux", constraint};
    EXPECT_EQ(refusal(account_of(node), needs_of(task)),
              fits ? std::nullopt : std::optional(Filter::constraints))
        << constraint;
  }
}

TEST(Filters, ConstraintThatCannotBeReadIsMetByNoNode) {
  model::TaskTemplate task;
  task.placement.edit().constraints = {"nonsense"};
  EXPECT_EQ(refusal(account_of(test::ready_node("n")), needs_of(task)), Filter::constraints);
}

model::TaskTemplate with_port(model::PublishMode mode, model::PortProtocol protocol) {
  model::TaskTemplate task;
  task.ports = {{80, 8080, protocol, mode}};
  return task;
}

TEST(Filters, HostPortMayBeSharedWithinAServiceButNotBetweenTwo) {
  const auto host = model::PublishMode::host;
  const auto tcp = model::PortProtocol::tcp;
  NodeAccount account = account_of(test::ready_node("n"));
  account.host_ports[{8080, tcp}][model::ServiceId("web-id")] = 3;
  EXPECT_EQ(refusal(account, needs_of(with_port(host, tcp))), std::nullopt);
  account.host_ports.clear();
  account.host_ports[{8080, tcp}][model::ServiceId("other-id")] = 1;
  EXPECT_EQ(refusal(account, needs_of(with_port(host, tcp))), Filter::host_port);
  EXPECT_EQ(refusal(account, needs_of(with_port(host, model::PortProtocol::udp))), std::nullopt);
  EXPECT_EQ(refusal(account, needs_of(with_port(model::PublishMode::ingress, tcp))), std::nullopt);
}

TEST(Filters, MaxReplicasCountSlotsOfTheService) {
  model::TaskTemplate task;
  task.placement.edit().max_replicas_per_node = 2;
  NodeAccount account = account_of(test::ready_node("n"));
  account.slots_of[model::ServiceId("web-id")] = {.active = 0, .occupied = 1};
  account.slots_of[model::ServiceId("other-id")] = {.active = 9, .occupied = 9};
  EXPECT_EQ(refusal(account, needs_of(task)), std::nullopt);
  account.slots_of[model::ServiceId("web-id")] = {.active = 0, .occupied = 2};
  EXPECT_EQ(refusal(account, needs_of(task)), Filter::max_replicas);
}

TEST(Filters, FirstFilterThatRefusesIsTheReason) {
  model::Node node = test::ready_node("n");
  node.spec.availability = model::Availability::pause;
  model::TaskTemplate task;
  task.resources.edit().reservations.memory_bytes = 5'000 * kMiB;
  task.placement.edit().constraints = {"node.id==other"};
  EXPECT_EQ(refusal(account_of(node), needs_of(task)), Filter::ready);
  node.spec.availability = model::Availability::active;
  EXPECT_EQ(refusal(account_of(node), needs_of(task)), Filter::resources);
}

TEST(Filters, ExplanationListsTheMostFrequentReasonFirst) {
  Refusals refusals{};
  refusals[static_cast<size_t>(Filter::constraints)] = 1;
  refusals[static_cast<size_t>(Filter::host_port)] = 3;
  refusals[static_cast<size_t>(Filter::ready)] = 1;
  EXPECT_EQ(explain(refusals),
            "no suitable node (host-mode port already in use on 3 nodes; 1 node not available for "
            "new tasks; scheduling constraints not satisfied on 1 node)");
}

}  // namespace
}  // namespace swarm::scheduler
