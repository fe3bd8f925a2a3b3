#include <gtest/gtest.h>
#include <sys/stat.h>

#include "mesh_fixture.h"

namespace swarm::mesh::test {
namespace {

class Control : public ::testing::Test {
 protected:
  void publish(Node& node) { node.set_table(web_table(++position, port_of(address))); }

  model::Position position = 0;
  const std::string address = free_address("127.0.0.1");
};

TEST_F(Control, TheMeshServesOnWithoutSwarmdAndTheNextOneFindsIt) {
  Node node;
  publish(node);
  HttpServer one("one");
  HttpServer two("two");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return get_once(address) == "one"; }));
  Connection kept(address);
  ASSERT_EQ(kept.get(), "one");
  {
    Load load({address});
    node.kill_swarmd();
    ASSERT_TRUE(load.await_more());
    node.start_swarmd();
    ASSERT_TRUE(await([&] { return node.is_connected(); }));
    ASSERT_TRUE(load.await_more());
    load.stop();
    EXPECT_EQ(load.failed(), 0u);
  }
  EXPECT_EQ(node.launches(), 1u);
  // The new swarmd is in charge, also of what the old one has begun.
  node.admit("t2", two.address());
  ASSERT_TRUE(await_done(node.retire("t1")));
  one.kill();
  EXPECT_EQ(kept.get(), "two");
}

TEST_F(Control, AMeshThatDiesIsStartedAgainAndToldEverything) {
  Node node;
  publish(node);
  HttpServer one("one");
  HttpServer two("two");
  node.admit("t1", one.address());
  node.admit("t2", two.address());
  ASSERT_TRUE(await_done(node.retire("t1")));
  ASSERT_TRUE(await([&] { return get_once(address) == "two"; }));
  node.kill_mesh();
  ASSERT_TRUE(await([&] { return get_once(address) == "two"; }));
  EXPECT_EQ(node.launches(), 2u);
}

TEST_F(Control, AMeshThatDiesRefusesNobody) {
  Node node;
  publish(node);
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return get_once(address) == "one"; }));
  for (int i = 0; i < 5; ++i) {
    node.kill_mesh();
    EXPECT_EQ(get_once(address), "one") << "it waited for mesh " << i + 2;
  }
  EXPECT_EQ(node.launches(), 6u);
}

TEST_F(Control, ListenersAreKeptByASwarmdThatCameAfterTheMesh) {
  Node node;
  publish(node);
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return get_once(address) == "one"; }));
  node.kill_swarmd();
  node.start_swarmd();
  publish(node);
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return node.is_connected(); }));
  ASSERT_TRUE(await([&] { return node.keeps_listeners(); }));
  node.kill_mesh();
  EXPECT_EQ(get_once(address), "one");
}

TEST_F(Control, AHostPortIsKeptUntilItsTaskIsAdmittedAgain) {
  Node node;
  node.set_table(web_table(++position, port_of(address), {}, model::PublishMode::host));
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return get_once(address) == "one"; }));
  // The next swarmd has the table before it has found its tasks again, and so has the next mesh.
  node.kill_swarmd();
  node.start_swarmd();
  ASSERT_TRUE(await([&] { return node.is_connected() && node.keeps_listeners(); }));
  node.set_table(web_table(++position, port_of(address), {}, model::PublishMode::host));
  ASSERT_TRUE(await([&] { return node.ports().table == position; }));
  node.kill_mesh();
  Connection waiting(address);
  ASSERT_TRUE(waiting.send("GET / HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(await([&] { return node.launches() == 2 && node.is_connected(); }));
  ASSERT_TRUE(node.settle());
  node.admit("t1", one.address());
  EXPECT_EQ(waiting.receive_answer(), "one");
}

TEST_F(Control, APortThatIsNoLongerPublishedIsNotKept) {
  Node node;
  publish(node);
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return get_once(address) == "one"; }));
  node.set_table({.position = ++position, .services = {}, .removed_nodes = {}});
  EXPECT_TRUE(await([&] { return !Connection(address).is_open(); }));
  node.kill_mesh();
  ASSERT_TRUE(await([&] { return node.launches() == 2 && node.is_connected(); }));
  EXPECT_FALSE(Connection(address).is_open());
}

TEST_F(Control, ADrainEndsWithTheMeshThatHadTheConnections) {
  Node node;
  publish(node);
  Server silent([](Connection& connection) { connection.receive_all(); });
  node.admit("t1", silent.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_TRUE(client.send("\x01"));
  ASSERT_TRUE(await([&] { return silent.open() >= 1; }));
  const auto done = node.retire("t1");
  node.kill_mesh();
  EXPECT_TRUE(await_done(done));
}

TEST_F(Control, WhatIsAskedBeforeTheMeshAnswersIsNotLost) {
  Node node;
  // No await_connected: all of it is said at once.
  publish(node);
  HttpServer one("one");
  node.admit("t1", one.address());
  const auto done = node.retire("t0");
  EXPECT_TRUE(await([&] { return get_once(address) == "one"; }));
  EXPECT_TRUE(await_done(done));
}

TEST_F(Control, ABusyPortIsAProblemUntilItIsFree) {
  auto other = std::make_unique<Server>([](Connection&) {});
  Node node;
  node.set_table(web_table(1, port_of(other->address())));
  ASSERT_TRUE(await([&] { return node.problems().size() == 1; }));
  EXPECT_EQ(node.problems()[0].error, "port " + std::to_string(port_of(other->address())) +
                                          "/tcp on 127.0.0.1 is in use by another program");
  EXPECT_EQ(node.problems()[0].service, model::ServiceId("web"));
  const std::string address = other->address();
  other.reset();
  EXPECT_TRUE(await([&] { return node.problems().empty(); }));
  HttpServer one("one");
  node.admit("t1", one.address());
  EXPECT_EQ(get_once(address), "one");
}

TEST_F(Control, AMeshThatCannotStartIsAConditionUntilItRuns) {
  auto other = std::make_unique<Server>([](Connection&) {});
  Node node({.peer_address = other->address()});
  ASSERT_TRUE(await([&] { return !node.condition().empty(); }));
  EXPECT_EQ(node.condition(), "the mesh does not run: the mesh's address " + other->address() +
                                  " is in use by another program");
  other.reset();
  EXPECT_TRUE(await([&] { return node.condition().empty(); }));
  EXPECT_TRUE(node.is_connected());
}

TEST_F(Control, WithoutAMeshNobodyWaitsForTheEndOfConnections) {
  Server other([](Connection&) {});
  Node node({.peer_address = other.address()});
  const auto asked_before = node.retire("t1", hours(1));
  ASSERT_TRUE(await([&] { return !node.condition().empty(); }));
  EXPECT_TRUE(await_done(asked_before));
  EXPECT_TRUE(await_done(node.retire("t2", hours(1))));
}

TEST_F(Control, AfterEachTableTheMeshSaysThatItsPortsAreOpen) {
  Node node;
  node.set_table(web_table(7, port_of(address)));
  ASSERT_TRUE(await([&] { return node.ports().table == 7; }));
  EXPECT_TRUE(Connection(address).is_open());
  node.set_table(web_table(8, port_of(address)));
  EXPECT_TRUE(await([&] { return node.ports().table == 8; }));
}

TEST_F(Control, ProblemsAreToldToANewSwarmd) {
  Server other([](Connection&) {});
  Node node;
  node.set_table(web_table(1, port_of(other.address())));
  ASSERT_TRUE(await([&] { return node.problems().size() == 1; }));
  node.kill_swarmd();
  node.start_swarmd();
  EXPECT_TRUE(await([&] { return node.problems().size() == 1; }));
}

TEST_F(Control, AnOlderTableChangesNothing) {
  Node node;
  position = 10;
  publish(node);
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  node.kill_swarmd();
  node.start_swarmd();
  node.set_table({5, {}, {}});
  ASSERT_TRUE(await([&] { return node.is_connected(); }));
  ASSERT_TRUE(await_done(node.retire("nobody")));  // came after the table
  EXPECT_TRUE(Connection(address).is_open());
}

TEST_F(Control, APortIsClosedWhenItsServiceIsGoneAndOpenConnectionsGoOn) {
  Node node;
  publish(node);
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return get_once(address) == "one"; }));
  Connection client(address);
  ASSERT_EQ(client.get(), "one");
  node.set_table({++position, {}, {}});
  ASSERT_TRUE(await([&] { return !Connection(address).is_open(); }));
  EXPECT_EQ(client.get(), "one");
}

TEST_F(Control, TheMeshEndsWhenTheNodeLeaves) {
  Node node;
  ASSERT_TRUE(await([&] { return node.is_connected(); }));
  const auto done = node.shut_down();
  ASSERT_TRUE(await([&] { return node.was_mesh_shut_down(); }));
  node.kill_mesh();
  EXPECT_TRUE(await_done(done));
  EXPECT_EQ(node.launches(), 1u);
}

// A mesh and whatever client connects to it by hand.
class Socket : public ::testing::Test {
 protected:
  Socket() {
    options.control_socket = folder.path() / "mesh.sock";
    options.swarm = model::SwarmId("swarm1");
    options.node = model::NodeId("node1");
    options.data_address = "127.0.0.1";
    options.peer_address = free_address("127.0.0.1");
  }

  TemporaryFolder folder;
  MeshOptions options;
};

TEST_F(Socket, IsForItsOwnerOnly) {
  const MeshProcess mesh(options);
  ASSERT_TRUE(mesh.status().ok());
  struct stat status{};
  ASSERT_EQ(::stat(options.control_socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Socket, ASecondMeshDoesNotTakeItALeftOverFileIsNoHindrance) {
  {
    const MeshProcess first(options);
    ASSERT_TRUE(first.status().ok());
    MeshOptions second_options = options;
    second_options.peer_address = free_address("127.0.0.1");
    const MeshProcess second(second_options);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  }
  EXPECT_TRUE(std::filesystem::exists(options.control_socket));
  const MeshProcess third(options);
  EXPECT_TRUE(third.status().ok()) << third.status();
}

TEST_F(Socket, ABusyPeerPortAndABadAddressAreErrors) {
  Server other([](Connection&) {});
  options.peer_address = other.address();
  EXPECT_EQ(MeshProcess(options).status().message(),
            "the mesh's address " + other.address() + " is in use by another program");
  options.peer_address = "nonsense";
  EXPECT_EQ(MeshProcess(options).status().code(), absl::StatusCode::kInvalidArgument);
  options.data_address = "nonsense";
  EXPECT_EQ(MeshProcess(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Socket, AMeshOfAnotherSwarmIsToldToEndAndReplaced) {
  auto stale = std::make_unique<MeshProcess>(options);
  ASSERT_TRUE(stale->status().ok());
  AsioLoop loop("swarmd");
  std::atomic<int> launches = 0;
  auto client = std::make_unique<MeshClient>(
      loop, MeshClient::Options{options.control_socket, model::SwarmId("swarm2"), options.node},
      [&](MeshClient::Failed) {
        ++launches;
        return absl::OkStatus();
      });
  loop.start();
  loop.post([&] { client->start(); });
  ASSERT_TRUE(await([&] { return stale->was_shut_down(); }));
  EXPECT_EQ(launches, 0);
  stale.reset();
  EXPECT_TRUE(await([&] { return launches == 1; }));
  loop.stop();
  client.reset();
}

TEST(MeshOptions, TheCommandLineRoundTrips) {
  MeshOptions options;
  options.control_socket = "/run/mesh.sock";
  options.swarm = model::SwarmId("s");
  options.node = model::NodeId("n");
  options.data_address = "10.0.0.1";
  options.peer_address = "10.0.0.1:7947";
  const auto parsed = parse_mesh_arguments(to_arguments(options));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(to_arguments(*parsed), to_arguments(options));
  EXPECT_EQ(parse_mesh_arguments({"--what", "1"}).status().message(),
            "swarmd mesh knows no option '--what'");
  EXPECT_FALSE(parse_mesh_arguments({"--node"}).ok());
  EXPECT_FALSE(parse_mesh_arguments({"--node", "n"}).ok());
}

}  // namespace
}  // namespace swarm::mesh::test
