#include <gtest/gtest.h>

#include "api/client/client.h"
#include "api/server.h"
#include "api/tls_client.h"
#include "unit/api/fake_manager.h"

namespace swarm::api {
namespace {

// A second root stands for the renewed certificate: who trusts it tells which one is shown.
TEST(Renewal, WhoConnectsAfterwardsIsShownTheNewCertificateAndWhoIsConnectedStays) {
  const TestSwarm before;
  const TestSwarm after;
  const auto manager = std::make_shared<FakeManager>(before);
  const std::unique_ptr<FakeNode> node = make_manager_node(manager);
  Watched<std::shared_ptr<const security::NodeCredentials>> shown;
  shown.update([&](auto& now) { now = before.credentials("n1", model::Role::manager); });
  const auto server = serve(*node, [&] { return shown.get(); });
  const std::string address = address_of(*server);
  const auto connect = [&](const TestSwarm& swarm) {
    return connect_tls(address, *swarm.credentials("n2", model::Role::manager), seconds(20));
  };

  const auto connected = connect(before);
  ASSERT_TRUE(connected->list_nodes().ok());
  shown.update([&](auto& now) { now = after.credentials("n1", model::Role::manager); });
  const auto renewed = connect(after);
  EXPECT_TRUE(renewed->list_nodes().ok());
  EXPECT_FALSE(connect(before)->list_nodes().ok());
  EXPECT_TRUE(connected->list_nodes().ok());
}

}  // namespace
}  // namespace swarm::api
