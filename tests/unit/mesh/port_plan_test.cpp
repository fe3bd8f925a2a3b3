#include "mesh/port_plan.h"

#include <gtest/gtest.h>

namespace swarm::mesh {
namespace {

using model::PortProtocol;
using model::PublishMode;

model::MeshTable table_of(std::vector<model::MeshService> services) {
  return {1, std::move(services), {}};
}

model::MeshService service(std::string id, std::vector<model::PublishedPort> ports) {
  return {model::ServiceId(id), "name-" + id, std::move(ports), {}};
}

constexpr auto kNowhere = [](const model::ServiceId&) { return false; };

TEST(PortPlan, IngressPortsAreOpenOnEveryNode) {
  const auto table = table_of({service("a", {{80, 8080}, {443, 8443}})});
  const PortPlan plan = plan_ports(table, kNowhere, {});
  ASSERT_EQ(plan.open.size(), 2u);
  EXPECT_EQ(plan.open.at(8080).key, (RouteKey{model::ServiceId("a"), 80, PublishMode::ingress}));
  EXPECT_TRUE(plan.issues.empty());
}

TEST(PortPlan, HostPortsAreOpenOnlyWhereTheServiceRuns) {
  const auto table = table_of({service("a", {{80, 8080, PortProtocol::tcp, PublishMode::host}}),
                               service("b", {{80, 8081, PortProtocol::tcp, PublishMode::host}})});
  const PortPlan plan = plan_ports(table, [](const auto& id) { return id.value() == "b"; }, {});
  ASSERT_EQ(plan.open.size(), 1u);
  EXPECT_EQ(plan.open.begin()->first, 8081);
}

TEST(PortPlan, UdpIsAnIssueThatSaysSo) {
  const auto table = table_of({service("a", {{53, 53, PortProtocol::udp}})});
  const PortPlan plan = plan_ports(table, kNowhere, {});
  EXPECT_TRUE(plan.open.empty());
  ASSERT_EQ(plan.issues.size(), 1u);
  EXPECT_EQ(plan.issues[0].error,
            "port 53/udp: udp is not supported yet by the mesh; publish it as tcp");
}

TEST(PortPlan, APortThatTwoWantStaysWithTheOneThatHasIt) {
  const auto table = table_of({service("a", {{80, 8080}}), service("b", {{81, 8080}})});
  const PortPlan fresh = plan_ports(table, kNowhere, {});
  EXPECT_EQ(fresh.open.at(8080).key.service.value(), "a");

  const auto only_b = table_of({service("b", {{81, 8080}})});
  const PortPlan held = plan_ports(only_b, kNowhere, {});
  const PortPlan plan = plan_ports(table, kNowhere, held.open);
  EXPECT_EQ(plan.open.at(8080).key.service.value(), "b");
  ASSERT_EQ(plan.issues.size(), 1u);
  EXPECT_EQ(plan.issues[0].service.value(), "a");
  EXPECT_EQ(plan.issues[0].error, "port 8080/tcp belongs to service name-b");
}

}  // namespace
}  // namespace swarm::mesh
