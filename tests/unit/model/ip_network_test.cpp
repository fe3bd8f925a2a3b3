#include "model/ip_network.h"

#include <gtest/gtest.h>

namespace swarm::model {
namespace {

bool is_in(std::string_view address, std::string_view range) {
  const auto one = parse_ip_network(address);
  const auto all = parse_ip_network(range);
  return one && all && all->contains(*one);
}

TEST(IpNetwork, HoldsTheAddressesOfItsRange) {
  EXPECT_TRUE(is_in("10.0.0.5", "10.0.0.5"));
  EXPECT_TRUE(is_in("10.255.0.5", "10.0.0.0/8"));
  EXPECT_TRUE(is_in("10.0.0.127", "10.0.0.0/25"));
  EXPECT_TRUE(is_in("192.0.2.1", "0.0.0.0/0"));
  EXPECT_TRUE(is_in("fd00:1::5", "fd00::/8"));
  EXPECT_TRUE(is_in("[fd00::5]", "fd00:0:0:0:0:0:0:5"));
  EXPECT_TRUE(is_in("::ffff:10.0.0.5", "10.0.0.0/8"));
  EXPECT_TRUE(is_in("::1", "::/0"));
}

TEST(IpNetwork, HoldsNoOthers) {
  EXPECT_FALSE(is_in("10.0.0.6", "10.0.0.5"));
  EXPECT_FALSE(is_in("11.0.0.5", "10.0.0.0/8"));
  EXPECT_FALSE(is_in("10.0.0.128", "10.0.0.0/25"));
  EXPECT_FALSE(is_in("fe00::1", "fd00::/8"));
  EXPECT_FALSE(is_in("::1", "0.0.0.0/0"));
  EXPECT_FALSE(is_in("10.0.0.0/8", "10.0.0.0/16"));
}

TEST(IpNetwork, IsNoOtherText) {
  for (const char* text : {"",
                           "web",
                           "10.0.0",
                           "10.0.0.0.1",
                           "10.0.0.256",
                           "10.0.0.-1",
                           "10.0.0.01",
                           "10.0.0.5/33",
                           "10.0.0.5/",
                           "10.0.0.5/x",
                           "/8",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "12345::",
                           "fe80::1%eth0",
                           "::/129",
                           "10.0.0.5:2377",
                           "[::1",
                           "g::",
                           "1:2:3:4:5:6:7:8::"}) {
    EXPECT_FALSE(parse_ip_network(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace swarm::model
