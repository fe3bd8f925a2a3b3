#include <gtest/gtest.h>

#include "model/validate.h"
#include "unit/model/verdict.h"

namespace swarm::model {
namespace {

TEST(ParsePort, TakesTheShortAndTheLongForm) {
  const std::pair<const char*, PublishedPort> rows[] = {
      {"80", {80, 0}},
      {"8080:80", {80, 8080}},
      {"53:53/udp", {53, 53, PortProtocol::udp}},
      {"65535:1/tcp", {1, 65535}},
      {"target=80", {80, 0}},
      {"mode=host,target=80,published=8080", {80, 8080, PortProtocol::tcp, PublishMode::host}},
      {"published=8080,target=80,protocol=udp", {80, 8080, PortProtocol::udp}},
      {"target=80,published=0", {80, 0}},
      {"target=80,mode=ingress", {80, 0}},
  };
  for (const auto& [text, port] : rows) {
    const auto parsed = parse_port(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, port) << text;
  }
}

TEST(ParsePort, RefusesTheRestAndShowsTheRightForm) {
  for (const char* text : {"",
                           "0",
                           "65536",
                           "http",
                           "8080:",
                           ":80",
                           "0:80",
                           "8080:80/sctp",
                           "8080:80/",
                           "-1",
                           "127.0.0.1:8080:80",
                           "80-90:80-90",
                           "published=8080",
                           "target=",
                           "target=0",
                           "target=80,",
                           "target=80,target=81",
                           "target=80,mode=both",
                           "target=80,color=red",
                           "target=80,published",
                           "target=80 ,mode=host",
                           "target=80,protocol=TCP",
                           " 80",
                           "99999999999999999999"}) {
    EXPECT_TRUE(is_refused(parse_port(text).status(),
                           {"published port \"", "use [PUBLISHED:]TARGET[/tcp|udp] or"}))
        << text;
  }
  EXPECT_TRUE(is_refused(parse_port("1.2.3.4:1:2").status(), {"host address", "not supported"}));
  EXPECT_TRUE(is_refused(parse_port("published=1").status(), {"no target"}));
  EXPECT_TRUE(is_refused(parse_port("target=1,color=red").status(), {"unknown key \"color\""}));
}

TEST(FormatPort, IsWhatTablesShow) {
  EXPECT_EQ(format_port({80, 8080}), "*:8080->80/tcp");
  EXPECT_EQ(format_port({53, 54, PortProtocol::udp}), "*:54->53/udp");
}

}  // namespace
}  // namespace swarm::model
