#include <gtest/gtest.h>

#include <atomic>

#include "mesh_fixture.h"

namespace swarm::mesh::test {
namespace {

// One node, one published port; tasks come and go.
class SingleNode : public ::testing::Test {
 protected:
  void publish(model::PublishMode mode = model::PublishMode::host) {
    node.set_table(web_table(++position, port_of(address), {}, mode));
  }

  Node node;
  model::Position position = 0;
  const std::string address = free_address("127.0.0.1");
};

TEST_F(SingleNode, AHostPortIsOpenAndAnswersOnceATaskIsAdmitted) {
  publish();
  HttpServer one("one");
  EXPECT_FALSE(Connection(address).is_open());
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  EXPECT_EQ(get_once(address), "one");
}

TEST_F(SingleNode, ReplacingTheOnlyTaskTwentyTimesUnderLoadFailsNoRequest) {
  publish();
  auto current = std::make_unique<HttpServer>("0");
  node.admit("t0", current->address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Load load({address, address, address});
  for (int round = 1; round <= 20; ++round) {
    ASSERT_TRUE(load.await_more());
    auto next = std::make_unique<HttpServer>(std::to_string(round));
    node.admit("t" + std::to_string(round), next->address());
    ASSERT_TRUE(await_done(node.retire("t" + std::to_string(round - 1))));
    current->kill();
    current = std::move(next);
  }
  ASSERT_TRUE(load.await_more());
  load.stop();
  EXPECT_EQ(load.failed(), 0u) << "of " << load.answered() + load.failed();
  EXPECT_EQ(get_once(address), "20");
}

TEST_F(SingleNode, StopFirstHoldsClientsUntilTheNextTaskIsThere) {
  publish();
  auto current = std::make_unique<HttpServer>("0");
  node.admit("t0", current->address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Load load({address, address});
  for (int round = 1; round <= 5; ++round) {
    ASSERT_TRUE(load.await_more());
    ASSERT_TRUE(await_done(node.retire("t" + std::to_string(round - 1))));
    current->kill();
    current = std::make_unique<HttpServer>(std::to_string(round));
    node.admit("t" + std::to_string(round), current->address());
  }
  ASSERT_TRUE(load.await_more());
  load.stop();
  EXPECT_EQ(load.failed(), 0u);
}

TEST_F(SingleNode, ARequestUnderWayIsFinishedBeforeItsTaskIsDrained) {
  publish();
  HttpServer one("one");
  HttpServer two("two");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_TRUE(client.send("GET /slow HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(await([&] { return one.waiting() == 1; }));
  node.admit("t2", two.address());
  const auto done = node.retire("t1");
  ASSERT_TRUE(node.settle());
  EXPECT_EQ(get_once(address), "two") << "new connections go to the new task at once";
  EXPECT_FALSE(is_done(done));
  one.release();
  EXPECT_EQ(client.receive_answer(), "one");
  EXPECT_TRUE(await_done(done));
  EXPECT_EQ(client.get(), "two") << "the kept connection goes on with the new task";
}

TEST_F(SingleNode, AClientThatNeverEndsDoesNotTakeTheOnlyTaskFromTheOthers) {
  publish();
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection stuck(address);
  ASSERT_TRUE(stuck.send("GET /slow HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(await([&] { return one.waiting() == 1; }));
  Connection kept(address);
  ASSERT_EQ(kept.get(), "one");
  const auto done = node.retire("t1");
  ASSERT_TRUE(node.settle());
  EXPECT_EQ(get_once(address), "one") << "held for the quiet time, then served";
  EXPECT_EQ(kept.get(), "one");
  EXPECT_FALSE(is_done(done));
  // The drain ends with the stuck client, although another one keeps its connection.
  one.release();
  EXPECT_EQ(stuck.receive_answer(), "one");
  EXPECT_TRUE(await_done(done));
}

TEST_F(SingleNode, AGetWhoseTaskDiesUnansweredIsAskedOfAnotherAPostIsNot) {
  publish();
  std::atomic<int> asked = 0;
  Server silent([&asked](Connection& connection) {
    if (!connection.receive().empty()) ++asked;
    connection.receive();
  });
  HttpServer two("two");
  node.admit("t1", silent.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection asking(address);
  Connection writing(address);
  ASSERT_TRUE(asking.send("GET / HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(writing.send("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
  ASSERT_TRUE(await([&] { return asked == 2; }));
  node.admit("t2", two.address());
  ASSERT_TRUE(node.settle());
  silent.kill();
  EXPECT_EQ(writing.receive_answer(), std::nullopt);
  EXPECT_EQ(asking.receive_answer(), "two");
  EXPECT_EQ(asking.get(), "two") << "the connection is kept";
}

TEST_F(SingleNode, AKeptIdleConnectionLeavesItsTaskAtOnceAndStaysOpen) {
  publish();
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_EQ(client.get(), "one");
  ASSERT_TRUE(await_done(node.retire("t1")));
  ASSERT_TRUE(await([&] { return one.open() == 0; }));
  one.kill();
  HttpServer two("two");
  node.admit("t2", two.address());
  EXPECT_EQ(client.get(), "two");
}

TEST_F(SingleNode, APipelinedRequestThatWasNotSentYetGoesToTheNextTask) {
  publish();
  HttpServer one("one");
  HttpServer two("two");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_TRUE(client.send("GET /slow HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(await([&] { return one.waiting() == 1; }));
  node.admit("t2", two.address());
  const auto done = node.retire("t1");
  ASSERT_TRUE(node.settle());
  ASSERT_TRUE(client.send("GET /next HTTP/1.1\r\n\r\n"));
  one.release();
  EXPECT_EQ(client.receive_answer(), "one");
  EXPECT_EQ(client.receive_answer(), "two");
  EXPECT_TRUE(await_done(done));
}

TEST_F(SingleNode, AConnectionThatHasNotAskedYetMovesToTheNextTask) {
  publish();
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_TRUE(await([&] { return one.open() == 1; }));
  HttpServer two("two");
  node.admit("t2", two.address());
  ASSERT_TRUE(await_done(node.retire("t1")));
  one.kill();
  EXPECT_EQ(client.get(), "two");
}

TEST_F(SingleNode, AnOpaqueConnectionStaysWithItsTaskUntilItEnds) {
  publish();
  Server echo([](Connection& connection) {
    connection.send("hello\n");
    for (auto part = connection.receive(); !part.empty(); part = connection.receive()) {
      connection.send(part);
    }
  });
  node.admit("t1", echo.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_EQ(client.receive_exactly(6), "hello\n") << "the server speaks first";
  const auto done = node.retire("t1");
  ASSERT_TRUE(node.settle());
  ASSERT_TRUE(client.send("still here"));
  EXPECT_EQ(client.receive_exactly(10), "still here");
  EXPECT_FALSE(is_done(done));
  client.close();
  EXPECT_TRUE(await_done(done));
}

TEST_F(SingleNode, AnOpaqueConnectionDelaysNobodyBeyondTheTimeout) {
  publish();
  Server silent([](Connection& connection) { connection.receive_all(); });
  node.admit("t1", silent.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_TRUE(client.send("\x01\x02"));
  ASSERT_TRUE(await([&] { return silent.open() >= 1; }));
  EXPECT_TRUE(await_done(node.retire("t1", milliseconds(20))));
}

TEST_F(SingleNode, ATaskThatWasNeverAdmittedIsDrained) {
  EXPECT_TRUE(await_done(node.retire("nobody")));
}

TEST_F(SingleNode, AClientIsHeldUntilATaskIsAdmitted) {
  publish(model::PublishMode::ingress);
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  std::promise<std::optional<std::string>> answer;
  std::thread client([&] { answer.set_value(get_once(address)); });
  HttpServer one("one");
  node.admit("t1", one.address());
  EXPECT_EQ(answer.get_future().get(), "one");
  client.join();
}

TEST_F(SingleNode, ATaskThatRefusesConnectionsIsAskedAgainUntilItAnswers) {
  publish(model::PublishMode::ingress);
  const std::string nowhere = free_address("127.0.0.1");
  node.admit("t1", nowhere);
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection client(address);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n\r\n"));
  HttpServer one("one");
  node.admit("t1", one.address());
  EXPECT_EQ(client.receive_answer(), "one");
}

class ShortHold : public ::testing::Test {
 protected:
  Node node{{.timeouts = {.hold = milliseconds(50)}}};
  const std::string address = free_address("127.0.0.1");
};

TEST_F(ShortHold, AfterTheHoldHttpIsAnsweredAndTheRestReset) {
  node.set_table(web_table(1, port_of(address)));
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  Connection http(address);
  ASSERT_TRUE(http.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const std::string answer = http.receive_all();
  EXPECT_NE(answer.find("HTTP/1.1 503 "), std::string::npos) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  EXPECT_FALSE(http.was_reset());

  Connection other(address);
  EXPECT_EQ(other.receive_all(), "");
  EXPECT_TRUE(other.was_reset());
}

TEST_F(ShortHold, AHostPortIsClosedWhenItsLastTaskHasBeenGoneForTheHold) {
  node.set_table(web_table(1, port_of(address), {}, model::PublishMode::host));
  HttpServer one("one");
  node.admit("t1", one.address());
  ASSERT_TRUE(await([&] { return Connection(address).is_open(); }));
  ASSERT_TRUE(await_done(node.retire("t1")));
  EXPECT_TRUE(await([&] { return !Connection(address).is_open(); }));
}

}  // namespace
}  // namespace swarm::mesh::test
