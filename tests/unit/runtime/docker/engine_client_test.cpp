#include "runtime/docker/engine_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "fake_engine.h"
#include "support/waiting_loop.h"

namespace swarm::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class EngineClients : public testing::Test {
 protected:
  std::string socket() const { return (folder_.path() / "engine.sock").string(); }

  template <class Call>
  Status wait(Call call) {
    std::optional<Status> status;
    call([&](Status got) { status = std::move(got); });
    EXPECT_FALSE(status.has_value()) << "never from inside the call";
    EXPECT_TRUE(loop_.until([&] { return status.has_value(); }));
    return status.value_or(absl::DeadlineExceededError("no answer"));
  }

  test::WaitingLoop loop_;
  test::ScratchDirectory folder_;
  FakeEngine engine_{loop_.loop().context(), socket()};
  EngineClient client_{loop_.loop(), socket()};
};

TEST_F(EngineClients, SpeakTheVersionOfTheEngine) {
  engine_.api_version = "1.39";
  engine_.on("POST /containers/c1/start", {.status = 204, .body = ""});
  EXPECT_TRUE(wait([&](auto done) { client_.start("c1", std::move(done)); }).ok());
  EXPECT_EQ(engine_.requests.back().target, "/v1.39/containers/c1/start");
  EXPECT_EQ(engine_.count("GET /_ping"), 1U);
  EXPECT_TRUE(wait([&](auto done) { client_.start("c1", std::move(done)); }).ok());
  EXPECT_EQ(engine_.count("GET /_ping"), 1U) << "asked once";
}

TEST_F(EngineClients, RefuseEnginesThatAreTooOld) {
  engine_.api_version = "1.20";
  const Status status = wait([&](auto done) { client_.start("c1", std::move(done)); });
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST_F(EngineClients, StopRoundsTheGracePeriodUp) {
  engine_.on("POST /containers/c1/stop", {.status = 204, .body = ""});
  EXPECT_TRUE(
      wait([&](auto done) { client_.stop("c1", milliseconds(1500), std::move(done)); }).ok());
  EXPECT_THAT(engine_.requests.back().target, HasSubstr("/stop?t=2"));
}

TEST_F(EngineClients, WhatIsGoneIsStoppedAndRemoved) {
  engine_.on("POST /containers/c1/stop", {.status = 304, .body = ""});
  EXPECT_TRUE(wait([&](auto done) { client_.stop("c1", seconds(1), std::move(done)); }).ok());
  engine_.on("POST /containers/c1/stop",
             {.status = 404, .body = R"({"message":"No such container: c1"})"});
  EXPECT_TRUE(wait([&](auto done) { client_.stop("c1", seconds(1), std::move(done)); }).ok());
  EXPECT_TRUE(wait([&](auto done) { client_.remove("c1", std::move(done)); }).ok());
}

TEST_F(EngineClients, PullReadsTheWholeStream) {
  engine_.on("POST /images/create", {.status = 200, .body = recorded("pull_progress.ndjson")});
  EXPECT_TRUE(wait([&](auto done) { client_.pull("web:1.1", std::move(done)); }).ok());
  engine_.on("POST /images/create",
             {.status = 200, .body = "{\"status\":\"Pulling\"}\n{\"error\":\"disk is full\"}"});
  EXPECT_EQ(wait([&](auto done) { client_.pull("web:1.1", std::move(done)); }).message(),
            "disk is full");
  engine_.on("POST /images/create",
             {.status = 500, .body = R"({"message":"dial tcp: no such host"})"});
  EXPECT_EQ(wait([&](auto done) { client_.pull("web:1.1", std::move(done)); }).message(),
            "dial tcp: no such host");
}

TEST_F(EngineClients, EventsAreHandedOverAsTheyCome) {
  std::vector<std::string> seen;
  bool is_open = false;
  std::optional<Status> end;
  client_.watch({.on_open = [&] { is_open = true; },
                 .on_event = [&](const EngineEvent& event) { seen.push_back(event.container); },
                 .on_end = [&](Status status) { end = std::move(status); }});
  ASSERT_TRUE(loop_.until([&] { return is_open; }));
  engine_.send_event(R"({"Type":"container","Action":"die","Actor":{"ID":"c1"}})");
  engine_.send_event(R"({"Type":"container","Action":"die","Actor":{"ID":"c2"}})");
  ASSERT_TRUE(loop_.until([&] { return seen.size() == 2; }));
  EXPECT_THAT(seen, ElementsAre("c1", "c2"));
  engine_.close();
  ASSERT_TRUE(loop_.until([&] { return end.has_value(); }));
  EXPECT_TRUE(absl::IsUnavailable(*end)) << *end;
}

TEST_F(EngineClients, CommandsTellTheirExitCodeAndOutput) {
  engine_.on("POST /containers/c1/exec", {.status = 201, .body = R"({"Id":"e1"})"});
  engine_.on("POST /exec/e1/start",
             {.status = 200, .body = std::string("\x02\0\0\0\0\0\0\x02no", 10)});
  engine_.on("GET /exec/e1/json", {.status = 200, .body = R"({"Running":false,"ExitCode":4})"});
  std::optional<Result<EngineClient::Ran>> ran;
  client_.exec("c1", {"/check"}, [&](Result<EngineClient::Ran> got) { ran = std::move(got); });
  ASSERT_TRUE(loop_.until([&] { return ran.has_value(); }));
  ASSERT_TRUE(ran->ok()) << ran->status();
  EXPECT_EQ((*ran)->exit_code, 4);
  EXPECT_EQ((*ran)->output, "no");
}

TEST_F(EngineClients, HistoryIsWhatTheEngineRemembers) {
  engine_.history = event_line("c1", "kill", "15") + "\n" + event_line("c1", "die", "0") + "\n";
  std::optional<Result<std::vector<EngineEvent>>> events;
  client_.history("c1", [&](Result<std::vector<EngineEvent>> got) { events = std::move(got); });
  ASSERT_TRUE(loop_.until([&] { return events.has_value(); }));
  ASSERT_TRUE(events->ok());
  ASSERT_EQ((*events)->size(), 2U);
  EXPECT_EQ((**events)[0].signal, 15);
  EXPECT_TRUE((**events)[1].is_end());
}

TEST_F(EngineClients, AtMostAFewCallsOfOneSortAreUnderWay) {
  engine_.on("POST /containers/c1/start", {.never = true});
  size_t answered = 0;
  for (size_t i = 0; i < kMaxStarts + 3; ++i) {
    client_.start("c1", [&](const Status&) { ++answered; });
  }
  ASSERT_TRUE(
      loop_.until([&] { return engine_.count("POST /containers/c1/start") == kMaxStarts; }));
  engine_.on("GET /info", {.status = 200, .body = "{}"});
  bool has_answered = false;
  client_.info([&](const Result<agent::EngineDescription>&) { has_answered = true; });
  ASSERT_TRUE(loop_.until([&] { return has_answered; })) << "other sorts go on";
  EXPECT_EQ(engine_.count("POST /containers/c1/start"), kMaxStarts);
  engine_.close();
  ASSERT_TRUE(loop_.until([&] { return answered == kMaxStarts + 3; }));
}

TEST_F(EngineClients, EngineThatIsNotThereIsUnavailable) {
  engine_.close();
  const Status status = wait([&](auto done) { client_.ping(std::move(done)); });
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(socket()));
}

TEST_F(EngineClients, SocketPathThatCannotBeIsRefused) {
  EngineClient nowhere(loop_.loop(), "/" + std::string(200, 'x'));
  const Status status = wait([&](auto done) { nowhere.ping(std::move(done)); });
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST_F(EngineClients, DestroyedOnesStaySilent) {
  auto client = std::make_unique<EngineClient>(loop_.loop(), socket());
  engine_.on("GET /info", {.never = true});
  bool has_answered = false;
  client->info([&](const Result<agent::EngineDescription>&) { has_answered = true; });
  ASSERT_TRUE(loop_.until([&] { return engine_.count("GET /info") == 1; }));
  client.reset();
  loop_.idle(milliseconds(20));
  EXPECT_FALSE(has_answered);
}

TEST(EngineSessions, GiveUpOnAnEngineThatKeepsSilent) {
  test::WaitingLoop loop;
  test::ScratchDirectory folder;
  const std::string socket = (folder.path() / "engine.sock").string();
  FakeEngine engine(loop.loop().context(), socket);
  engine.on("GET /slow", {.never = true});
  std::optional<Status> end;
  EngineEvents events;
  events.on_end = [&](Status status) { end = std::move(status); };
  EngineRequest request{.target = "/slow"};
  request.answer_limit = milliseconds(30);
  const auto session = open_session(loop.loop(), socket, request, std::move(events));
  ASSERT_TRUE(loop.until([&] { return end.has_value(); }));
  EXPECT_TRUE(absl::IsUnavailable(*end));
  EXPECT_THAT(std::string(end->message()), HasSubstr("did not answer within 30ms"));
}

}  // namespace
}  // namespace swarm::runtime
