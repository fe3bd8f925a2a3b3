#include "manager/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swarm::manager {
namespace {

using ::testing::HasSubstr;

TEST(HostPort, AloneGetsTheDefaultPort) {
  const Result<HostPort> parsed = parse_host_port("10.0.0.5", kSwarmPort);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->host, "10.0.0.5");
  EXPECT_EQ(parsed->port, 2377);
}

TEST(HostPort, KeepsThePortItWasGiven) {
  EXPECT_EQ(parse_host_port("node-1:4000", kSwarmPort)->text(), "node-1:4000");
}

TEST(HostPort, ReadsVersion6WithAndWithoutPort) {
  EXPECT_EQ(parse_host_port("[fd00::5]:4000", kSwarmPort)->text(), "[fd00::5]:4000");
  EXPECT_EQ(parse_host_port("[fd00::5]", kSwarmPort)->text(), "[fd00::5]:2377");
  EXPECT_EQ(parse_host_port("fd00::5", kSwarmPort)->text(), "[fd00::5]:2377");
}

TEST(HostPort, ItsTextParsesToTheSame) {
  for (const char* text : {"10.0.0.5:1", "[::1]:65535", "a.example.org:2377"}) {
    EXPECT_EQ(parse_host_port(text, 9)->text(), text);
  }
}

TEST(HostPort, RefusesWhatIsNoAddress) {
  for (const char* text : {"", ":2377", "[fd00::5", "[]:1", "host:0", "host:65536", "host:x",
                           "host:1x", "a b:1", "user@host", "[::1]2377", "a,b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(parse_host_port(text, kSwarmPort).status())) << text;
  }
}

TEST(HostPort, KnowsTheWildcards) {
  EXPECT_TRUE(parse_host_port("0.0.0.0", 1)->is_wildcard());
  EXPECT_TRUE(parse_host_port("[::]", 1)->is_wildcard());
  EXPECT_FALSE(parse_host_port("127.0.0.1", 1)->is_wildcard());
}

TEST(ChooseAddresses, TheOnlyAddressIsAdvertised) {
  const Result<SwarmAddresses> chosen = choose_addresses("", "", {"10.0.0.5"});
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->listen.text(), "0.0.0.0:2377");
  EXPECT_EQ(chosen->advertise.text(), "10.0.0.5:2377");
}

TEST(ChooseAddresses, SeveralCandidatesAreNamedForTheUserToChoose) {
  const Result<SwarmAddresses> chosen = choose_addresses("", "", {"10.0.0.5", "192.168.1.5"});
  EXPECT_TRUE(absl::IsInvalidArgument(chosen.status()));
  EXPECT_THAT(chosen.status().message(), HasSubstr("10.0.0.5, 192.168.1.5"));
  EXPECT_THAT(chosen.status().message(), HasSubstr("--advertise-addr"));
}

TEST(ChooseAddresses, WithoutAnyTheUserIsToldWhatToSay) {
  const Result<SwarmAddresses> chosen = choose_addresses("", "", {});
  EXPECT_TRUE(absl::IsInvalidArgument(chosen.status()));
  EXPECT_THAT(chosen.status().message(), HasSubstr("--advertise-addr"));
}

TEST(ChooseAddresses, AListenAddressIsAdvertisedUnlessItIsAWildcard) {
  const std::vector<std::string> machine = {"10.0.0.5", "10.0.0.6"};
  EXPECT_EQ(choose_addresses("10.0.0.6:4000", "", machine)->advertise.text(), "10.0.0.6:4000");
  EXPECT_FALSE(choose_addresses("0.0.0.0:4000", "", machine).ok());
}

TEST(ChooseAddresses, TheAdvertisedAddressTakesThePortThatIsListenedOn) {
  const Result<SwarmAddresses> chosen = choose_addresses("0.0.0.0:4000", "10.0.0.5", {});
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->advertise.text(), "10.0.0.5:4000");
}

TEST(ChooseAddresses, AWildcardCannotBeAdvertised) {
  EXPECT_TRUE(absl::IsInvalidArgument(choose_addresses("", "0.0.0.0", {}).status()));
}

}  // namespace
}  // namespace swarm::manager
