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

// ::1:2377 is an address, and nobody means it.
TEST(HostPort, RefusesVersion6ThatMayEndInAPortAndSaysHowToWriteIt) {
  for (const char* const text : {"::1:2377", "fd00::5:4000", "fe80::1:65535"}) {
    const Status refused = parse_host_port(text, kSwarmPort).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << text;
    const std::string whole(text);
    const size_t last = whole.rfind(':');
    EXPECT_THAT(refused.message(),
                HasSubstr("[" + whole.substr(0, last) + "]" + whole.substr(last)));
    EXPECT_THAT(refused.message(), HasSubstr("[" + whole + "]"));
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

// eth0 with one address of each family, eth1 with two, a bridge, and the loopback.
MachineNetwork machine() {
  MachineNetwork machine;
  machine.interfaces = {{"docker0", {"172.17.0.1"}, false},
                        {"eth0", {"10.0.0.5", "fd00::5"}, true},
                        {"lo", {"127.0.0.1", "::1"}, false}};
  machine.has_ipv6 = true;
  machine.resolve = [](const std::string& name) -> Result<std::vector<std::string>> {
    if (name == "node-1") {
      return std::vector<std::string>{"192.168.9.9", "10.0.0.5"};
    }
    if (name == "elsewhere") {
      return std::vector<std::string>{"192.168.9.9"};
    }
    return absl::NotFoundError("Name or service not known");
  };
  return machine;
}

MachineNetwork with_two_interfaces() {
  MachineNetwork two = machine();
  two.interfaces.push_back({"eth1", {"10.1.0.5", "10.1.0.6"}, true});
  return two;
}

std::string advertised(const std::string& text, const AddressOptions& more = {}) {
  AddressOptions options = more;
  options.advertise = text;
  const Result<SwarmAddresses> chosen = choose_addresses(options, machine());
  return chosen.ok() ? chosen->advertise.text() : std::string(chosen.status().message());
}

TEST(ChooseAddresses, WithoutOptionsAllAddressesOfBothFamiliesAreListenedOn) {
  const Result<SwarmAddresses> chosen = choose_addresses({}, machine());
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->listen.text(), "[::]:2377");
  EXPECT_EQ(chosen->advertise.text(), "10.0.0.5:2377");
}

TEST(ChooseAddresses, WithoutIpv6OnlyIpv4IsListenedOn) {
  MachineNetwork old = machine();
  old.has_ipv6 = false;
  EXPECT_EQ(choose_addresses({}, old)->listen.text(), "0.0.0.0:2377");
}

TEST(ChooseAddresses, SeveralCandidatesAreNamedForTheUserToChoose) {
  const Status refused = choose_addresses({}, with_two_interfaces()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_THAT(refused.message(), HasSubstr("10.0.0.5, 10.1.0.5, 10.1.0.6, fd00::5"));
  EXPECT_THAT(refused.message(), HasSubstr("--advertise-addr"));
}

TEST(ChooseAddresses, WithoutAnyTheUserIsToldWhatToSay) {
  const Result<SwarmAddresses> chosen = choose_addresses({}, {});
  EXPECT_TRUE(absl::IsInvalidArgument(chosen.status()));
  EXPECT_THAT(chosen.status().message(), HasSubstr("--advertise-addr"));
}

TEST(ChooseAddresses, AListenAddressIsAdvertisedUnlessItIsAWildcard) {
  const MachineNetwork two = with_two_interfaces();
  EXPECT_EQ(choose_addresses({.listen = "10.1.0.6:4000"}, two)->advertise.text(), "10.1.0.6:4000");
  EXPECT_FALSE(choose_addresses({.listen = "0.0.0.0:4000"}, two).ok());
}

TEST(ChooseAddresses, TheAdvertisedAddressTakesThePortThatIsListenedOn) {
  EXPECT_EQ(advertised("10.0.0.5", {.listen = "0.0.0.0:4000"}), "10.0.0.5:4000");
}

TEST(ChooseAddresses, AWildcardCannotBeAdvertised) {
  EXPECT_THAT(advertised("0.0.0.0"), HasSubstr("not an address other nodes can reach"));
  EXPECT_THAT(advertised("[::]"), HasSubstr("10.0.0.5, fd00::5"));
}

TEST(ChooseAddresses, AMachineWithLoopbackOnlyIsToldThatAddress) {
  MachineNetwork lonely = machine();
  std::erase_if(lonely.interfaces, [](const auto& each) { return each.is_reachable; });
  const Status refused = choose_addresses({.advertise = "192.168.9.9"}, lonely).status();
  EXPECT_THAT(refused.message(), HasSubstr("(it has 127.0.0.1"));
}

TEST(ChooseAddresses, AnInterfaceStandsForItsAddress) {
  EXPECT_EQ(advertised("eth0"), "10.0.0.5:2377");
  EXPECT_EQ(advertised("eth0:4000"), "10.0.0.5:4000");
  EXPECT_EQ(choose_addresses({.listen = "lo"}, machine())->listen.text(), "127.0.0.1:2377");
  const Status several = choose_addresses({.advertise = "eth1"}, with_two_interfaces()).status();
  EXPECT_THAT(several.message(), HasSubstr("interface eth1 has several addresses (10.1.0.5, "));
}

TEST(ChooseAddresses, ANameStandsForTheAddressOfThisMachineThatItHas) {
  EXPECT_EQ(advertised("node-1"), "10.0.0.5:2377");
  EXPECT_THAT(advertised("nowhere"), HasSubstr("neither an address, an interface of this machine "
                                               "(docker0, eth0, lo), nor a name that can be "
                                               "resolved"));
}

TEST(ChooseAddresses, AnAddressOfAnotherMachineNeedsForce) {
  for (const char* const foreign : {"192.168.9.9", "elsewhere", "fd00::99:88"}) {
    EXPECT_THAT(advertised(foreign), HasSubstr("this machine does not have the address"));
    EXPECT_THAT(advertised(foreign), HasSubstr("--force"));
  }
  EXPECT_EQ(advertised("192.168.9.9", {.force = true}), "192.168.9.9:2377");
  EXPECT_EQ(advertised("127.0.0.77"), "127.0.0.77:2377") << "all of 127.0.0.0/8 is ours";
}

TEST(ChooseAddresses, AZoneIsRefused) {
  EXPECT_THAT(advertised("fe80::1%eth0"), HasSubstr("zone"));
  EXPECT_THAT(advertised("[fe80::1%eth0]:2377"), HasSubstr("zone"));
}

TEST(ChooseAddresses, Version6IsAdvertisedInBracketsAndNeedsAListenerOfItsFamily) {
  EXPECT_EQ(advertised("[::1]"), "[::1]:2377");
  EXPECT_EQ(advertised("fd00::5"), "[fd00::5]:2377");
  EXPECT_EQ(advertised("[FD00:0:0::5]:4000"), "[fd00::5]:4000");
  EXPECT_THAT(advertised("[::1]", {.listen = "0.0.0.0"}), HasSubstr("IPv4 only"));
}

TEST(ChooseAddresses, TheListenerFollowsThePortThatIsAdvertised) {
  const Result<SwarmAddresses> chosen = choose_addresses({.advertise = "eth0:5555"}, machine());
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->listen.text(), "[::]:5555");
  EXPECT_EQ(chosen->advertise.text(), "10.0.0.5:5555");
}

TEST(ChooseAddresses, APortThatNobodyListensOnNeedsForce) {
  const AddressOptions listening{.listen = "0.0.0.0:4000"};
  EXPECT_THAT(advertised("eth0:5555", listening), HasSubstr("5555"));
  EXPECT_THAT(advertised("eth0:5555", listening), HasSubstr("would listen on port 4000"));
  EXPECT_THAT(advertised("eth0:5555", listening), HasSubstr("--force"));
  EXPECT_THAT(advertised("eth0:5555", {.listen = "eth0"}), HasSubstr("listen on port 2377"));
  EXPECT_EQ(advertised("eth0:5555", {.listen = "0.0.0.0:4000", .force = true}), "10.0.0.5:5555");
}

TEST(ChooseAddresses, TheMeshPortIsTaken) {
  EXPECT_THAT(advertised("eth0:7946"), HasSubstr("mesh port"));
  EXPECT_THAT(advertised("eth0:7946", {.force = true}), HasSubstr("mesh port"));
  EXPECT_THAT(advertised("eth0:9000", {.mesh_port = 9000}), HasSubstr("mesh port"));
  EXPECT_EQ(advertised("eth0:7946", {.mesh_port = 9000}), "10.0.0.5:7946");
  EXPECT_THAT(choose_addresses({.listen = "10.0.0.5:7946"}, machine()).status().message(),
              HasSubstr("mesh port"));
}

}  // namespace
}  // namespace swarm::manager
