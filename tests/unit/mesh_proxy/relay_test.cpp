#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "mesh_fixture.h"

// What a connection does must come out the same through one mesh and through two.
namespace swarm::mesh::test {
namespace {

// "local": the task is on the node that is asked; "remote": on another one.
class Relay : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    entry.set_credentials(authority.issue(entry.id()));
    owner.set_credentials(authority.issue(owner.id()));
  }

  bool is_remote() const { return GetParam() == "remote"; }
  Node& home() { return is_remote() ? owner : entry; }

  // The client's connection to the task that listens on `task_address`.
  Connection connect_to(const std::string& task_address) {
    const auto table = web_table(1, port_of(address), {endpoint("t1", home())});
    home().admit("t1", task_address);
    EXPECT_TRUE(owner.settle());
    entry.set_table(table);
    EXPECT_TRUE(await([&] { return Connection(address).is_open(); }));
    return Connection(address);
  }

  Authority authority;
  Node entry{{.id = "entry", .host = "127.0.0.1"}};
  Node owner{{.id = "owner", .host = "127.0.0.2"}};
  const std::string address = free_address("127.0.0.1");
};

std::string random_bytes(size_t size) {
  std::mt19937_64 random(std::random_device{}());
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
  return bytes;
}

TEST_P(Relay, LargeTransfersArriveWholeBothWaysAtOnce) {
  const std::string up = "\x01" + random_bytes(4 * 1024 * 1024);
  const std::string down = random_bytes(4 * 1024 * 1024);
  std::promise<std::string> received;
  std::atomic<int> serial = 0;
  Server server([&](Connection& connection) {
    const std::string first = connection.receive();
    if (first.empty()) return;  // the look whether the port is open
    ++serial;
    std::thread sender([&] {
      connection.send(down);
      connection.shutdown_send();
    });
    received.set_value(first + connection.receive_all());
    sender.join();
  });
  Connection client = connect_to(server.address());
  std::thread sender([&] {
    client.send(up);
    client.shutdown_send();
  });
  EXPECT_TRUE(client.receive_all() == down);
  EXPECT_TRUE(received.get_future().get() == up);
  sender.join();
  EXPECT_EQ(serial, 1);
}

TEST_P(Relay, AHalfClosedConnectionStillGetsItsAnswer) {
  Server server([](Connection& connection) {
    const std::string all = connection.receive_all();
    connection.send("got " + std::to_string(all.size()));
  });
  Connection client = connect_to(server.address());
  ASSERT_TRUE(client.send(std::string(1000, '\x02')));
  client.shutdown_send();
  EXPECT_EQ(client.receive_all(), "got 1000");
  EXPECT_FALSE(client.was_reset());
}

TEST_P(Relay, AnAnswerThatEndsWithTheConnectionArrivesWholeAndEndsIt) {
  Server server([](Connection& connection) {
    if (!connection.receive().empty()) connection.send("HTTP/1.1 200 OK\r\n\r\nall of it");
  });
  Connection client = connect_to(server.address());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(client.receive_all(), "HTTP/1.1 200 OK\r\n\r\nall of it");
  EXPECT_FALSE(client.was_reset());
}

TEST_P(Relay, ABrokenAnswerIsBrokenForTheClientToo) {
  Server server([](Connection& connection) {
    if (connection.receive().empty()) return;
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.receive();  // the client has it
    connection.reset();
  });
  Connection client = connect_to(server.address());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n\r\n"));
  std::string answer = client.receive();
  while (answer.find("half") == std::string::npos) answer += client.receive();
  ASSERT_TRUE(client.send("G"));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(client.was_reset());
}

TEST_P(Relay, AClientThatBreaksOffBreaksOffForTheTask) {
  std::promise<bool> was_reset;
  Server server([&](Connection& connection) {
    if (connection.receive().empty()) return;
    connection.send("ok");
    connection.receive_all();
    was_reset.set_value(connection.was_reset());
  });
  Connection client = connect_to(server.address());
  ASSERT_TRUE(client.send("\x03"));
  ASSERT_EQ(client.receive_exactly(2), "ok");
  client.reset();
  EXPECT_TRUE(was_reset.get_future().get());
}

TEST_P(Relay, AKeptConnectionMovesWhenItsTaskDrains) {
  HttpServer one("one");
  HttpServer two("two");
  Connection client = connect_to(one.address());
  ASSERT_EQ(client.get(), "one");
  ASSERT_TRUE(client.send("GET /slow HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(await([&] { return one.waiting() == 1; }));
  home().admit("t2", two.address());
  const auto table =
      web_table(2, port_of(address), {endpoint("t1", home()), endpoint("t2", home())});
  entry.set_table(table);
  const auto done = home().retire("t1");
  ASSERT_TRUE(home().settle());
  ASSERT_TRUE(entry.settle());
  EXPECT_EQ(get_once(address), "two") << "the entry still believes in t1, its owner does not";
  EXPECT_FALSE(is_done(done));
  one.release();
  EXPECT_EQ(client.receive_answer(), "one");
  EXPECT_TRUE(await_done(done));
  EXPECT_EQ(client.get(), "two");
}

// It may be slow, or never get to the end of its request.
TEST_P(Relay, AClientWithinTheHeadOfItsRequestMovesWhenItsTaskDrains) {
  HttpServer one("one");
  HttpServer two("two");
  Connection client = connect_to(one.address());
  ASSERT_EQ(client.get(), "one");
  ASSERT_TRUE(client.send("GET /half HTTP/1.1\r\nHo"));
  ASSERT_TRUE(await([&] { return one.partial() > 0; }));
  EXPECT_TRUE(await_done(home().retire("t1")));
  EXPECT_TRUE(await([&] { return one.open() == 0; }));
  one.kill();
  home().admit("t2", two.address());
  entry.set_table(web_table(2, port_of(address), {endpoint("t2", home())}));
  ASSERT_TRUE(client.send("st: half\r\n\r\n"));
  EXPECT_EQ(client.receive_answer(), "two");
}

TEST_P(Relay, AnIdleKeptConnectionDoesNotDelayTheDrain) {
  HttpServer one("one");
  Connection client = connect_to(one.address());
  ASSERT_EQ(client.get(), "one");
  EXPECT_TRUE(await_done(home().retire("t1")));
  EXPECT_TRUE(await([&] { return one.open() == 0; }));
}

TEST_P(Relay, ATaskThatClosesAnIdleConnectionIsNotTheClientsConcern) {
  std::atomic<int> answered = 0;
  Server server([&](Connection& connection) {
    if (connection.receive().empty()) return;
    ++answered;
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Connection client = connect_to(server.address());
  for (int round = 1; round <= 3; ++round) {
    EXPECT_EQ(client.get(), "ok");
    EXPECT_EQ(answered, round);
    ASSERT_TRUE(await([&] { return server.open() == 0; }));
    // The end has reached the entry mesh once a request on a new connection was served after it.
    EXPECT_EQ(get_once(address), "ok");
    --answered;
  }
}

INSTANTIATE_TEST_SUITE_P(OneAndTwoMeshes, Relay, ::testing::Values("local", "remote"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace swarm::mesh::test
