#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <set>

#include "executor_fixture.h"
#include "runtime/process/port_pool.h"

namespace swarm::runtime {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;

// Another program: this test is no descendant of a task's shim.
class ProcessPorts : public ExecutorTest {
 protected:
  // A server that tells its port and waits for the file `go` before it opens it.
  void add_slow_web() {
    add_script(
        "slow",
        std::string("echo $PORT; while [ ! -e go ]; do sleep 0.01; done; exec ") + WEB_PROGRAM,
        R"(, "env": {"VERSION": "1.0"})");
  }
  static model::TaskTemplate slow_spec() {
    model::TaskTemplate spec = ExecutorTest::spec("slow");
    spec.ports.push_back({.target = 80, .published = 8080});
    return spec;
  }
  void go() { std::ofstream(folder_.path() / "bundles/slow/latest/go") << ""; }

  // The port the task was told last; 0 when it has not said it.
  uint16_t told_port(const std::string& id) {
    std::istringstream lines(output(id));
    uint16_t port = 0;
    for (uint16_t told = 0; lines >> told;) {
      port = told;
    }
    return port;
  }
  bool await_told(const std::string& id, uint16_t unlike = 0) {
    return loop_.until([&] { return told_port(id) != 0 && told_port(id) != unlike; });
  }

  // Takes the port from under the task.
  void take(uint16_t port, bool listens) {
    auto socket = std::make_unique<tcp::acceptor>(context_, tcp::v4());
    socket->bind({boost::asio::ip::address_v4::loopback(), port});
    if (listens) {
      socket->listen();
    }
    taken_.push_back(std::move(socket));
  }

  boost::asio::io_context context_;
  std::vector<std::unique_ptr<tcp::acceptor>> taken_;
};

TEST_F(ProcessPorts, TaskWhosePortAnotherProgramServesStartsAgainOnAnother) {
  add_slow_web();
  ASSERT_TRUE(run("t1", slow_spec()).ok());
  ASSERT_TRUE(await_told("t1"));
  const uint16_t lost = told_port("t1");
  take(lost, true);
  ASSERT_TRUE(await_told("t1", lost));
  EXPECT_EQ(find_event("t1", Kind::healthy), nullptr) << "it was the other program that answered";
  go();
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  const std::string address = find_event("t1", Kind::healthy)->addresses.at(0).address;
  EXPECT_EQ(address, "127.0.0.1:" + std::to_string(told_port("t1")));
  EXPECT_EQ(fetch(address), "web 1.0\n");
  EXPECT_EQ(find_event("t1", Kind::exited), nullptr) << "no failure of the task";
}

TEST_F(ProcessPorts, TaskThatEndsForItsPortIsInUseStartsAgainOnAnother) {
  add_slow_web();
  ASSERT_TRUE(run("t1", slow_spec()).ok());
  ASSERT_TRUE(await_told("t1"));
  const uint16_t lost = told_port("t1");
  take(lost, false);
  go();
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  EXPECT_NE(told_port("t1"), lost);
  EXPECT_EQ(find_event("t1", Kind::exited), nullptr) << "no failure of the task";
}

TEST_F(ProcessPorts, ItsOwnCheckDoesNotMakeATaskHealthyOnThePortOfAnotherProgram) {
  add_slow_web();
  model::TaskTemplate checked = slow_spec();
  checked.container.health.edit().test = {"CMD-SHELL", "test -e healthy"};
  checked.container.health.edit().retries = 1000;
  ASSERT_TRUE(run("t1", checked).ok());
  ASSERT_TRUE(await_told("t1"));
  const uint16_t lost = told_port("t1");
  ASSERT_TRUE(await_event("t1", Kind::waiting)) << "the port was its own until then";
  take(lost, true);
  std::ofstream(folder_.path() / "bundles/slow/latest/healthy") << "";
  ASSERT_TRUE(await_told("t1", lost));
  ASSERT_TRUE(await_event("t1", Kind::healthy)) << "nobody listens: its check decides";
  EXPECT_EQ(find_event("t1", Kind::healthy)->addresses.at(0).address,
            "127.0.0.1:" + std::to_string(told_port("t1")));
}

TEST_F(ProcessPorts, TaskThatLosesEveryPortFailsWithTheCause) {
  add_script("app", "echo 'bind: Address already in use' >&2; exit 1");
  model::TaskTemplate with_port = spec("app");
  with_port.ports.push_back({.target = 80, .published = 8080});
  ASSERT_TRUE(run("t1", with_port).ok());
  ASSERT_TRUE(await_event("t1", Kind::exited));
  EXPECT_EQ(find_event("t1", Kind::exited)->exit_code, 1);
  EXPECT_EQ(find_event("t1", Kind::exited)->error,
            "a port that it opens is in use by another program (started again on other ports 5 "
            "times before)");
}

TEST_F(ProcessPorts, TaskThatIsStoppedDoesNotStartAgain) {
  add_slow_web();
  ASSERT_TRUE(run("t1", slow_spec()).ok());
  ASSERT_TRUE(await_told("t1"));
  const uint16_t lost = told_port("t1");
  take(lost, true);
  ASSERT_TRUE(stop("t1", Duration::zero()).ok());
  ASSERT_NE(find_event("t1", Kind::exited), nullptr);
  EXPECT_EQ(told_port("t1"), lost);
  EXPECT_TRUE(remove("t1").ok());
}

TEST_F(ProcessPorts, TaskThatLostItsPortUnseenIsFoundAsNotStarted) {
  add_slow_web();
  ASSERT_TRUE(run("t1", slow_spec()).ok());
  ASSERT_TRUE(await_told("t1"));
  const uint16_t lost = told_port("t1");
  const auto shim = start_record("t1")->shim;
  executor_.reset();
  take(lost, true);
  go();
  ASSERT_TRUE(loop_.until([&] { return !platform::is_alive(shim); }));
  restart();
  const auto existing = list();
  ASSERT_EQ(existing.size(), 1U);
  EXPECT_EQ(existing[0].state, agent::ExistingTask::State::created);
  ASSERT_TRUE(start("t1").ok());
  ASSERT_TRUE(await_event("t1", Kind::healthy));
  EXPECT_NE(told_port("t1"), lost);
}

TEST_F(ProcessPorts, WaitOfAStartingTaskNamesWhatIsRefused) {
  add_slow_web();
  ASSERT_TRUE(run("t1", slow_spec()).ok());
  ASSERT_TRUE(await_told("t1"));
  ASSERT_TRUE(await_event("t1", Kind::waiting));
  EXPECT_EQ(find_event("t1", Kind::waiting)->error, "port 80: connection refused");
}

// Two swarmd on one machine choose among the same ports.
TEST(PortPools, NeverGiveOnePortTwice) {
  boost::asio::io_context context;
  PortPool first(context, Random(7));
  PortPool second(context, Random(7));
  std::set<uint16_t> given;
  for (int i = 0; i < 100; ++i) {
    for (PortPool* const pool : {&first, &second}) {
      const auto port = pool->choose(model::PortProtocol::tcp);
      ASSERT_TRUE(port.ok()) << port.status();
      EXPECT_TRUE(given.insert(*port).second) << *port << " was given twice";
    }
  }
  first.release(*given.begin());
}

}  // namespace
}  // namespace swarm::runtime
