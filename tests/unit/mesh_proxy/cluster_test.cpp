#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "mesh_fixture.h"

namespace swarm::mesh::test {
namespace {

// Three nodes of one swarm, an ingress port open on each.
class Cluster : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) {
      const std::string id = "node" + std::to_string(nodes.size() + 1);
      nodes.push_back(std::make_unique<Node>(NodeSetup{.id = id, .host = host}));
      nodes.back()->set_credentials(authority.issue(id));
      addresses.push_back(std::string(host) + ":" + std::to_string(port));
    }
  }

  void publish(const std::vector<model::Endpoint>& endpoints) {
    ++position;
    for (const auto& node : nodes) ASSERT_TRUE(node->settle());
    for (const auto& node : nodes) node->set_table(web_table(position, port, endpoints));
  }
  bool await_open() {
    return await([&] {
      return std::all_of(addresses.begin(), addresses.end(),
                         [](const auto& a) { return Connection(a).is_open(); });
    });
  }

  Authority authority;
  const uint16_t port = port_of(free_address("127.0.0.1"));
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::string> addresses;
  model::Position position = 0;
};

TEST_F(Cluster, EveryNodeAnswersForATaskOnAnyNode) {
  HttpServer server("on node 3");
  nodes[2]->admit("t1", server.address());
  publish({endpoint("t1", *nodes[2])});
  ASSERT_TRUE(await_open());
  for (const std::string& address : addresses) {
    EXPECT_EQ(get_once(address), "on node 3") << address;
  }
}

TEST_F(Cluster, ANodeThatWasRemovedIsRefusedThoughItsCertificateIsGood) {
  HttpServer server("on node 3");
  nodes[2]->admit("t1", server.address());
  Node removed(
      NodeSetup{.id = "node4", .host = "127.0.0.4", .timeouts = {.hold = milliseconds(100)}});
  removed.set_credentials(authority.issue("node4"));
  const std::string entry = "127.0.0.4:" + std::to_string(port);
  publish({endpoint("t1", *nodes[2])});
  removed.set_table(web_table(position, port, {endpoint("t1", *nodes[2])}));
  ASSERT_TRUE(await_open());
  ASSERT_TRUE(await([&] { return Connection(entry).is_open(); }));
  Connection kept(entry);
  ASSERT_EQ(kept.get(), "on node 3");

  model::MeshTable table = web_table(++position, port, {endpoint("t1", *nodes[2])});
  table.removed_nodes = {model::NodeId("node4")};
  nodes[2]->set_table(table);
  ASSERT_TRUE(nodes[2]->settle());
  EXPECT_NE(kept.get(), "on node 3") << "over the link it had";
  EXPECT_NE(get_once(entry), "on node 3") << "over a new link";
  EXPECT_EQ(get_once(addresses[0]), "on node 3");
}

TEST_F(Cluster, ReplacingTasksUnderLoadFailsNoRequestHoweverLateTheTableIs) {
  std::map<int, std::unique_ptr<HttpServer>> servers;
  const auto task = [](int number) { return "t" + std::to_string(number); };
  // Two tasks, on nodes 2 and 3: node 1 has none of its own.
  const auto start = [&](int number) {
    servers[number] = std::make_unique<HttpServer>(task(number));
    nodes[1 + number % 2]->admit(task(number), servers[number]->address());
  };
  const auto place = [&](int number) { return endpoint(task(number), *nodes[1 + number % 2]); };
  start(0);
  start(1);
  publish({place(0), place(1)});
  ASSERT_TRUE(await_open());
  Load load(addresses);
  for (int number = 2; number <= 11; ++number) {
    ASSERT_TRUE(load.await_more());
    start(number);
    if (number % 3 != 0) publish({place(number - 2), place(number - 1), place(number)});
    ASSERT_TRUE(await_done(nodes[1 + number % 2]->retire(task(number - 2))));
    servers[number - 2]->kill();  // while every table still says ready
    ASSERT_TRUE(load.await_more());
    publish({place(number - 1), place(number)});
  }
  load.stop();
  EXPECT_EQ(load.failed(), 0u) << "of " << load.answered() + load.failed();
}

TEST_F(Cluster, AnEndpointThatIsDeclinedOrUnreachableIsPassedOver) {
  HttpServer server("real");
  nodes[1]->admit("t1", server.address());
  model::Endpoint unreachable = endpoint("t2", *nodes[2]);
  unreachable.mesh_address = free_address("127.0.0.3");
  publish({endpoint("t1", *nodes[1]), endpoint("unknown", *nodes[1]), unreachable});
  ASSERT_TRUE(await_open());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(get_once(addresses[0]), "real");
  }
}

TEST_F(Cluster, AMeshThatDiesLeavesKeptIdleConnectionsAlive) {
  HttpServer one("one");
  HttpServer two("two");
  nodes[1]->admit("t1", one.address());
  publish({endpoint("t1", *nodes[1])});
  ASSERT_TRUE(await_open());
  Connection client(addresses[0]);
  ASSERT_EQ(client.get(), "one");
  nodes[2]->admit("t2", two.address());
  publish({endpoint("t2", *nodes[2])});
  nodes[1]->kill_swarmd();
  nodes[1]->kill_mesh();
  ASSERT_TRUE(await([&] { return one.open() == 0; }));
  EXPECT_EQ(client.get(), "two");
}

TEST_F(Cluster, AMeshThatIsStartedAgainIsReachedAgain) {
  HttpServer server("back");
  nodes[1]->admit("t1", server.address());
  publish({endpoint("t1", *nodes[1])});
  ASSERT_TRUE(await_open());
  ASSERT_EQ(get_once(addresses[0]), "back");  // leaves an idle link in the pool
  nodes[1]->kill_mesh();
  EXPECT_EQ(get_once(addresses[0]), "back");
}

TEST_F(Cluster, LinksAreUsedAgain) {
  HttpServer server("x");
  nodes[1]->admit("t1", server.address());
  publish({endpoint("t1", *nodes[1])});
  ASSERT_TRUE(await_open());
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(get_once(addresses[0]), "x");
  }
  // Without credentials no new link could be made.
  // From now on no new link to node 2 can be made.
  nodes[1]->set_credentials(Authority().issue(nodes[1]->id()));
  ASSERT_TRUE(nodes[1]->settle());
  EXPECT_EQ(get_once(addresses[0]), "x");
}

TEST_F(Cluster, RenewedCredentialsAreTakenWithoutHarm) {
  HttpServer server("x");
  nodes[1]->admit("t1", server.address());
  publish({endpoint("t1", *nodes[1])});
  ASSERT_TRUE(await_open());
  Connection kept(addresses[0]);
  ASSERT_EQ(kept.get(), "x");
  for (const auto& node : nodes) node->set_credentials(authority.issue(node->id()));
  EXPECT_EQ(get_once(addresses[0]), "x");
  EXPECT_EQ(kept.get(), "x");
}

// Node 1 asks node 2, one of which is not what it should be.
class Impostor : public Cluster {
 protected:
  Impostor() {
    for (auto& node : nodes) node.reset();
  }

  // What a client of node 1 gets for a task on node 2.
  std::optional<std::string> ask() {
    HttpServer server("secret");
    nodes[1]->admit("t1", server.address());
    publish({endpoint("t1", *nodes[1])});
    EXPECT_TRUE(await_open());
    Connection client(addresses[0]);
    client.send("GET / HTTP/1.1\r\n\r\n");
    return client.receive_answer();
  }

  void SetUp() override {
    for (const char* host : {"127.0.0.1", "127.0.0.2"}) {
      const std::string id = "node" + std::to_string(nodes.size() + 1);
      nodes.push_back(std::make_unique<Node>(
          NodeSetup{.id = id, .host = host, .timeouts = {.hold = milliseconds(300)}}));
      nodes.back()->set_credentials(authority.issue(id));
      addresses.push_back(std::string(host) + ":" + std::to_string(port));
    }
  }
};

TEST_F(Impostor, TheRightNodesUnderstandEachOther) {
  EXPECT_EQ(ask(), "secret");
}

TEST_F(Impostor, AnotherNodeOfTheSwarmIsNotTheExpectedOne) {
  nodes[1]->set_credentials(authority.issue("node3"));
  EXPECT_EQ(ask(), std::nullopt);
}

TEST_F(Impostor, AnotherSwarmsNodeIsNotServed) {
  nodes[0]->set_credentials(Authority().issue("node1"));
  EXPECT_EQ(ask(), std::nullopt);
}

TEST_F(Impostor, UnusableCredentialsDoNotReplaceGoodOnes) {
  ASSERT_TRUE(await([&] { return nodes[0]->is_connected(); }));
  nodes[0]->set_credentials({"", "", ""});
  EXPECT_EQ(ask(), "secret");
}

}  // namespace
}  // namespace swarm::mesh::test
