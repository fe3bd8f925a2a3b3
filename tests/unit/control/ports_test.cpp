#include "control/ports.h"

#include <gmock/gmock.h>

#include "unit/control/control_fixture.h"

namespace swarm::control {
namespace {

using absl::StatusCode;
using model::PublishMode;

class PortsTest : public ControlTest {
 protected:
  static model::ServiceSpec publishing(const std::string& name,
                                       std::vector<model::PublishedPort> ports) {
    model::ServiceSpec spec = spec_of(name);
    spec.task.ports = std::move(ports);
    return spec;
  }
  uint16_t published(const std::string& name) const {
    return stored_spec(name).task.ports.at(0).published;
  }
};

TEST_F(PortsTest, AnIngressPortBelongsToOneService) {
  ASSERT_TRUE(create(publishing("api", {port(8080)})).ok());
  EXPECT_TRUE(fails_with(create(publishing("web", {port(8080, 90)})), StatusCode::kAlreadyExists,
                         "port 8080/tcp is already published by service \"api\" as an ingress "
                         "port"));
  EXPECT_TRUE(fails_with(create(publishing("web", {port(8080, 90, PublishMode::host)})),
                         StatusCode::kAlreadyExists, "as an ingress port"));
}

TEST_F(PortsTest, AHostPortKeepsIngressAwayButNotOtherHostPorts) {
  ASSERT_TRUE(create(publishing("api", {port(8080, 80, PublishMode::host)})).ok());
  EXPECT_TRUE(fails_with(create(publishing("web", {port(8080)})), StatusCode::kAlreadyExists,
                         "as a host port"));
  EXPECT_TRUE(create(publishing("web", {port(8080, 80, PublishMode::host)})).ok());
}

TEST_F(PortsTest, UdpIsRefusedUntilThereAreNetworks) {
  model::PublishedPort udp = port(53, 53);
  udp.protocol = model::PortProtocol::udp;
  EXPECT_TRUE(fails_with(create(publishing("dns", {udp})), StatusCode::kInvalidArgument,
                         "udp ports are not supported yet: they come with networks"));
  ASSERT_TRUE(create(publishing("dns", {port(53, 53)})).ok());
  udp.published = 0;
  EXPECT_TRUE(fails_with(update(publishing("dns", {port(53, 53), udp})),
                         StatusCode::kInvalidArgument, "udp ports are not supported yet"));
}

TEST_F(PortsTest, WhatANodeListensOnIsNotPublished) {
  model::Node manager = node_of("m", model::Role::manager);
  manager.manager = model::ManagerStatus{model::MemberId(1), "[fd00::1]:2377"};
  manager.description.mesh_address = "10.0.0.1:7946";
  manager.description.hostname = "alpha";
  given(manager);
  EXPECT_TRUE(fails_with(create(publishing("web", {port(2377)})), StatusCode::kInvalidArgument,
                         "port 2377 cannot be published: it is the swarm port of node alpha"));
  EXPECT_TRUE(fails_with(create(publishing("web", {port(7946, 80, PublishMode::host)})),
                         StatusCode::kInvalidArgument, "it is the mesh port of node alpha"));
  ASSERT_TRUE(create(publishing("web", {port(8080)})).ok());
  EXPECT_TRUE(fails_with(update(publishing("web", {port(2377)})), StatusCode::kInvalidArgument,
                         "it is the swarm port"));
}

TEST_F(PortsTest, AnUpdateIsCheckedAndDoesNotCollideWithItself) {
  ASSERT_TRUE(create(publishing("api", {port(8080)})).ok());
  ASSERT_TRUE(create(publishing("web", {port(8081)})).ok());
  EXPECT_TRUE(update(publishing("web", {port(8081), port(8082, 81)})).ok());
  EXPECT_TRUE(
      fails_with(update(publishing("web", {port(8080)})), StatusCode::kAlreadyExists, "\"api\""));
}

TEST_F(PortsTest, ARemovedServiceGivesItsPortsFree) {
  ASSERT_TRUE(create(publishing("api", {port(8080)})).ok());
  ASSERT_TRUE(apply(remove_service(context(), "api")).ok());
  EXPECT_TRUE(create(publishing("web", {port(8080)})).ok());
}

TEST_F(PortsTest, ARolloutHoldsThePortsItMayHaveToGoBackTo) {
  ASSERT_TRUE(create(publishing("api", {port(8080)})).ok());
  ASSERT_TRUE(update(publishing("api", {port(9090)})).ok());
  EXPECT_TRUE(
      fails_with(create(publishing("web", {port(8080)})), StatusCode::kAlreadyExists, "\"api\""));
  model::Service done = service("api");
  done.rollout.edit().state = model::RolloutState::completed;
  given(done);
  EXPECT_TRUE(create(publishing("web", {port(8080)})).ok());
  // And now there is no way back.
  EXPECT_TRUE(fails_with(roll_back("api", 1), StatusCode::kAlreadyExists, "\"web\""));
}

TEST_F(PortsTest, TheSwarmChoosesFreePortsAndKeepsThemAcrossUpdates) {
  ASSERT_TRUE(create(publishing("taken", {port(30'000)})).ok());
  ASSERT_TRUE(create(publishing("web", {port(0), port(0, 443)})).ok());
  const auto chosen = stored_spec().task.ports;
  EXPECT_EQ(chosen[0].published, 30'001);
  EXPECT_EQ(chosen[1].published, 30'002);
  EXPECT_EQ(view().revision(service().id, 1)->task.ports, chosen);

  model::ServiceSpec next = publishing("web", {port(0), port(0, 443)});
  next.task.container.image = "web:1.1";
  ASSERT_TRUE(update(next).ok());
  EXPECT_EQ(stored_spec().task.ports, chosen);
}

TEST_F(PortsTest, AChosenPortNeverCollidesWithOneThatWasNamed) {
  ASSERT_TRUE(create(publishing("web", {port(30'000), port(0, 443)})).ok());
  EXPECT_EQ(stored_spec().task.ports[1].published, 30'001);
  // The kept port of target 443 is taken away by name: another is chosen.
  ASSERT_TRUE(update(publishing("web", {port(30'001, 80), port(0, 443)})).ok());
  EXPECT_EQ(stored_spec().task.ports[1].published, 30'000);
}

TEST_F(PortsTest, SaysWhenNoPortIsLeft) {
  for (uint16_t first = 30'000; first <= 32'767; first += 1000) {
    std::vector<model::PublishedPort> ports;
    for (int i = 0; i < 1000 && first + i <= 32'767; ++i) {
      ports.push_back(port(static_cast<uint16_t>(first + i)));
    }
    ASSERT_TRUE(create(publishing("block" + std::to_string(first), ports)).ok());
  }
  EXPECT_TRUE(fails_with(create(publishing("web", {port(0)})), StatusCode::kResourceExhausted,
                         "no port from 30000 to 32767 is free"));
}

}  // namespace
}  // namespace swarm::control
