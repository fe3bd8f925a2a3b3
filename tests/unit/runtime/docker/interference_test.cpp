// What others do to our containers, by hand or through the engine.
#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>

#include "docker_fixture.h"

namespace swarm::runtime {
namespace {

using boost::asio::ip::tcp;

// A task that runs and was told to be healthy.
class Interference : public DockerTasks {
 protected:
  Interference() {
    engine_.on(on("POST", "/stop"), [this](const FakeEngine::Request&) -> FakeEngine::Reply {
      state_is(exited(0));
      return {.status = 204, .body = ""};
    });
  }

  void run_healthy(const json& container) {
    state_is(container);
    run();
    ASSERT_TRUE(await_events(1));
    ASSERT_EQ(events_[0].kind, Kind::healthy);
  }
  void becomes(const json& container) {
    state_is(container);
    hint();
  }
  void remember(const std::vector<std::string>& lines) {
    engine_.history.clear();
    for (const std::string& line : lines) {
      engine_.history += line + "\n";
    }
  }
  static json changed(json container, const json& state) {
    container["State"].update(state);
    return container;
  }
};

TEST_F(Interference, StopFromOutsideIsToldApartFromACompletion) {
  run_healthy(running());
  remember({event_line(kId, "kill", "15"), event_line(kId, "die", "0")});
  becomes(exited(0));
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::exited);
  EXPECT_TRUE(events_[1].is_external_stop);
  EXPECT_EQ(events_[1].error, "stopped from outside with SIGTERM");
}

TEST_F(Interference, CompletionIsNoStop) {
  run_healthy(running());
  remember({event_line(kId, "die", "0")});
  becomes(exited(0));
  ASSERT_TRUE(await_events(2));
  EXPECT_FALSE(events_[1].is_external_stop);
}

TEST_F(Interference, EndWithTheEngineIsNoCompletion) {
  run_healthy(running());
  engine_.close();
  state_is(exited(0));
  engine_.open();  // and remembers nothing
  ASSERT_TRUE(await_events(2));
  EXPECT_TRUE(events_[1].is_external_stop);
  EXPECT_EQ(events_[1].error, "stopped with its engine");
}

TEST_F(Interference, OurOwnStopIsNotFromOutside) {
  run_healthy(running());
  remember({event_line(kId, "kill", "15"), event_line(kId, "die", "0")});
  state_is(exited(0));
  EXPECT_TRUE(stop().ok());
  ASSERT_TRUE(await_events(2));
  EXPECT_FALSE(events_[1].is_external_stop);
}

TEST_F(Interference, ContainerFoundStoppedSaysSo) {
  engine_.on("GET /containers/json", {.status = 200, .body = recorded("list_containers.json")});
  remember({event_line(kId, "kill", "15"), event_line(kId, "die", "0")});
  state_is(exited(0));
  const auto existing = list();
  ASSERT_EQ(existing->size(), 1U);
  EXPECT_EQ((*existing)[0].state, State::exited);
  EXPECT_TRUE((*existing)[0].is_external_stop);
}

TEST_F(Interference, ContainerThatIsStartedAgainAfterItsEndIsStopped) {
  run_healthy(running());
  remember({event_line(kId, "die", "1")});
  becomes(exited(1));
  ASSERT_TRUE(await_events(2));
  becomes(changed(running(), {{"StartedAt", "2026-11-30T00:00:00Z"}}));
  ASSERT_TRUE(loop_.until([&] { return engine_.count(on("POST", "/stop")) == 1; }));
  hint();
  loop_.idle(milliseconds(50));
  EXPECT_EQ(engine_.count(on("POST", "/stop")), 1U);
  EXPECT_EQ(events_.size(), 2U) << "its end is told once";
}

TEST_F(Interference, RestartThatIsOverBeforeWeLookedEndsTheTask) {
  run_healthy(running());
  remember({event_line(kId, "kill", "15"), event_line(kId, "die", "143")});
  becomes(changed(running(), {{"StartedAt", "2026-11-30T00:00:00Z"}}));
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::exited);
  EXPECT_EQ(events_[1].exit_code, 143);
  EXPECT_TRUE(events_[1].is_external_stop);
  EXPECT_TRUE(loop_.until([&] { return engine_.count(on("POST", "/stop")) == 1; }))
      << "and its second run is nobody's";
}

TEST_F(Interference, RestartPolicyIsSetBack) {
  engine_.on(on("POST", "/update"), [this](const FakeEngine::Request&) -> FakeEngine::Reply {
    state_is(running());
    return {.status = 200, .body = "{}"};
  });
  run_healthy(running());
  json always = running();
  always["HostConfig"]["RestartPolicy"]["Name"] = "always";
  becomes(always);
  ASSERT_TRUE(loop_.until([&] { return engine_.count(on("POST", "/update")) == 1; }));
  EXPECT_EQ(json::parse(engine_.last(on("POST", "/update")).body),
            json::parse(R"({"RestartPolicy":{"Name":"no"}})"));
}

TEST_F(Interference, PausedTaskIsUnreachableUntilItGoesOn) {
  run_healthy(running());
  becomes(changed(running(), {{"Status", "paused"}, {"Paused", true}}));
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::unreachable);
  EXPECT_EQ(events_[1].error, "paused from outside");
  becomes(running());
  ASSERT_TRUE(await_events(3));
  EXPECT_EQ(events_[2].kind, Kind::healthy);
}

// A task with a published port that `server` serves on every loopback address.
class Addresses : public Interference {
 protected:
  Addresses() : server_(loop_.loop().context(), {boost::asio::ip::address_v4::any(), 0}) {
    spec_.ports = {{.target = port(), .published = 8080}};
  }
  uint16_t port() { return server_.local_endpoint().port(); }
  json at(const std::string& address) {
    json container = running();
    container["NetworkSettings"]["IPAddress"] = address;
    container["NetworkSettings"]["Networks"] = {{"bridge", {{"IPAddress", address}}}};
    return container;
  }
  std::vector<agent::TaskAddress> addresses(const std::string& host) {
    return {{port(), host + ":" + std::to_string(port())}};
  }

  tcp::acceptor server_;
};

TEST_F(Addresses, ThatChangeAreLeftAtOnceAndTakenUpWhenTheyAreServed) {
  run_healthy(at("127.0.0.1"));
  EXPECT_EQ(events_[0].addresses, addresses("127.0.0.1"));
  becomes(at("127.0.0.2"));
  ASSERT_TRUE(await_events(3));
  EXPECT_EQ(events_[1].kind, Kind::unreachable);
  EXPECT_EQ(events_[2].kind, Kind::healthy);
  EXPECT_EQ(events_[2].addresses, addresses("127.0.0.2"));
}

TEST_F(Addresses, ThatAreGoneMakeTheTaskUnreachable) {
  run_healthy(at("127.0.0.1"));
  becomes(at(""));
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::unreachable);
  EXPECT_EQ(events_[1].error, "disconnected from its network from outside");
  becomes(at("127.0.0.1"));
  ASSERT_TRUE(await_events(3));
  EXPECT_EQ(events_[2].kind, Kind::healthy);
}

TEST_F(Addresses, AreSeenInTheListWhenNoEventTells) {
  run_healthy(at("127.0.0.1"));
  state_is(at("127.0.0.2"));
  engine_.on("GET /containers/json",
             {.status = 200,
              .body = json::array({{{"Id", kId},
                                    {"State", "running"},
                                    {"NetworkSettings", at("127.0.0.2")["NetworkSettings"]}}})
                          .dump()});
  ASSERT_TRUE(list().ok());
  ASSERT_TRUE(await_events(3));
  EXPECT_EQ(events_[2].addresses, addresses("127.0.0.2"));
}

TEST_F(Addresses, OfANewPortAreToldWhenItIsServed) {
  run_healthy(at("127.0.0.1"));
  tcp::acceptor other(loop_.loop().context(), {boost::asio::ip::address_v4::any(), 0});
  const uint16_t added = other.local_endpoint().port();
  other.close();
  executor_->publish(labels().task,
                     {{.target = port(), .published = 8080}, {.target = added, .published = 8081}});
  ASSERT_TRUE(await_events(2));
  EXPECT_EQ(events_[1].kind, Kind::waiting);
  EXPECT_EQ(events_[1].error, "port " + std::to_string(added) + ": connection refused");
  tcp::acceptor served(loop_.loop().context(), {boost::asio::ip::address_v4::any(), added});
  ASSERT_TRUE(await_events(3));
  EXPECT_EQ(events_[2].kind, Kind::healthy);
  EXPECT_EQ(events_[2].addresses.size(), 2U);
  becomes(at("127.0.0.2"));
  ASSERT_TRUE(await_events(5));
  EXPECT_EQ(events_[3].kind, Kind::unreachable);
  EXPECT_EQ(events_[4].addresses.size(), 2U) << "it keeps what it is to serve";
}

TEST_F(Addresses, ThatNobodyServesYetAreWhatTheTaskWaitsFor) {
  const auto told = "port " + std::to_string(port()) + ": connection refused";
  state_is(at("127.0.0.1"));
  server_.close();
  run();
  ASSERT_TRUE(await_events(1));
  EXPECT_EQ(events_[0].kind, Kind::waiting);
  EXPECT_EQ(events_[0].error, told);
}

}  // namespace
}  // namespace swarm::runtime
