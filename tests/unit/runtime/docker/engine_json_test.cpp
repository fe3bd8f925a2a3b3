#include "runtime/docker/engine_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "fake_engine.h"

namespace swarm::runtime {
namespace {

TEST(EngineErrors, CarryTheEnginesMessage) {
  const Status missing = error_of(404, R"({"message":"No such image: nosuch:1"})");
  EXPECT_EQ(missing, absl::NotFoundError("No such image: nosuch:1"));
  EXPECT_TRUE(absl::IsAlreadyExists(error_of(409, "{}")));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      error_of(400, R"({"message":"Minimum memory limit allowed is 6MB"})")));
  EXPECT_TRUE(absl::IsFailedPrecondition(error_of(500, R"({"message":"port is allocated"})")));
  EXPECT_TRUE(absl::IsUnavailable(error_of(503, "")));
  EXPECT_EQ(error_of(400, "client version 1.10 is too old\n").message(),
            "client version 1.10 is too old")
      << "not always JSON";
}

TEST(EngineVersions, AreTheNewestThatBothSpeak) {
  EXPECT_EQ(*choose_api_version("1.41"), "1.41");
  EXPECT_EQ(*choose_api_version("1.51"), "1.44");
  EXPECT_EQ(*choose_api_version("1.24"), "1.24");
  EXPECT_TRUE(absl::IsFailedPrecondition(choose_api_version("1.23").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(choose_api_version("").status()));
}

TEST(EngineAnswers, RecordedOnesAreRead) {
  const auto info = parse_info(recorded("info.json"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->version, "20.10.24+dfsg1");
  EXPECT_EQ(info->resources.nano_cpus, 2'000'000'000);
  EXPECT_EQ(info->resources.memory_bytes, 25276502016);
  const auto listed = parse_containers(recorded("list_containers.json"));
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_THAT((*listed)[0].id, testing::StartsWith("ff57560e7fde"));
  EXPECT_EQ((*listed)[0].state, "running");
  EXPECT_EQ((*listed)[0].address, "172.17.0.2");
  EXPECT_EQ(*parse_created_id(R"({"Id":"abc","Warnings":[]})"), "abc");
  EXPECT_FALSE(parse_created_id("{}").ok());
  EXPECT_FALSE(parse_containers("{}").ok());
  EXPECT_FALSE(parse_info("[]").ok());
}

TEST(EngineEvents, NameTheirContainer) {
  std::istringstream lines(recorded("events.ndjson"));
  std::string line;
  size_t count = 0;
  while (std::getline(lines, line)) {
    EXPECT_EQ(parse_event(line)->container.size(), 64U) << line;
    ++count;
  }
  EXPECT_EQ(count, 12U);
  EXPECT_FALSE(parse_event(R"({"Type":"network","Actor":{"ID":"x"}})").has_value());
  EXPECT_FALSE(parse_event("{").has_value());
}

TEST(EngineEvents, OfNetworksNameTheContainerThatCameOrWent) {
  const auto event = parse_event(
      R"({"Type":"network","Action":"disconnect","Actor":{"ID":"n","Attributes":{"container":"c1"}}})");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->container, "c1");
  EXPECT_EQ(event->action, "disconnect");
}

TEST(EngineEvents, TellSignalsAndExitCodes) {
  EXPECT_EQ(parse_event(event_line("c1", "kill", "15"))->signal, 15);
  const auto end = parse_event(event_line("c1", "die", "137"));
  EXPECT_TRUE(end->is_end());
  EXPECT_EQ(end->exit_code, 137);
}

TEST(EngineEvents, AreAskedForUntilNow) {
  const std::string query = history_query("c1", WallTime(seconds(1'700'000'000) + nanoseconds(5)));
  EXPECT_THAT(query, testing::StartsWith("since=0&until=1700000000.000000005&filters="));
  EXPECT_THAT(query, testing::HasSubstr("c1"));
}

TEST(Commands, OutputIsTakenOutOfItsFrames) {
  const auto frame = [](const std::string& text) {
    return std::string("\x01\0\0\0\0\0\0", 7) + static_cast<char>(text.size()) + text;
  };
  EXPECT_EQ(parse_output(frame("no ") + frame("database")), "no database");
  EXPECT_EQ(parse_output(frame("cut").substr(0, 9)), "c");
  EXPECT_EQ(parse_output("nonsense"), "");
  EXPECT_EQ(parse_output(""), "");
}

TEST(Commands, AnswersAreRead) {
  EXPECT_EQ(*parse_exec_id(R"({"Id":"e1"})"), "e1");
  EXPECT_FALSE(parse_exec_id("{}").ok());
  EXPECT_EQ(*parse_exec_exit(R"({"Running":false,"ExitCode":3})"), 3);
  EXPECT_FALSE(parse_exec_exit(R"({"Running":true,"ExitCode":null})").ok());
  EXPECT_EQ(exec_body({"/web", "--check"}),
            R"({"AttachStderr":true,"AttachStdout":true,"Cmd":["/web","--check"]})");
}

TEST(Pulls, ErrorsAreFoundInTheProgress) {
  std::istringstream lines(recorded("pull_progress.ndjson"));
  std::string line;
  while (std::getline(lines, line)) {
    EXPECT_FALSE(parse_pull_error(line).has_value()) << line;
  }
  EXPECT_EQ(parse_pull_error(R"({"errorDetail":{"message":"no"},"error":"no"})"), "no");
}

TEST(Pulls, NameImageAndTag) {
  EXPECT_EQ(pull_query("web:1.0"), "fromImage=web&tag=1.0");
  EXPECT_EQ(pull_query("web"), "fromImage=web&tag=latest");
  EXPECT_EQ(pull_query("127.0.0.1:5000/team/web"), "fromImage=127.0.0.1:5000/team/web&tag=latest");
  EXPECT_EQ(pull_query("web@sha256:0a"), "fromImage=web&tag=sha256:0a");
  EXPECT_EQ(pull_query("a b&c"), "fromImage=a%20b%26c&tag=latest");
}

TEST(Filters, AreEncodedJson) {
  EXPECT_EQ(label_filter({"a=b"}), "%7B%22label%22:%5B%22a%3Db%22%5D%7D");
  EXPECT_THAT(event_filter(), testing::HasSubstr("health_status"));
}

}  // namespace
}  // namespace swarm::runtime
