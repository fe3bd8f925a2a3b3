#include "control/natural_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace swarm::control {
namespace {

TEST(NaturalOrder, ComparesNumbersAsNumbers) {
  const std::vector<std::string> sorted = {"",
                                           "1",
                                           "2",
                                           "10",
                                           "a",
                                           "web",
                                           "web-2",
                                           "web01",
                                           "web1",
                                           "web2",
                                           "web2a",
                                           "web2b3",
                                           "web2b11",
                                           "web10",
                                           "web99999999999999999999998",
                                           "web99999999999999999999999"};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t k = 0; k < sorted.size(); ++k) {
      EXPECT_EQ(is_naturally_before(sorted[i], sorted[k]), i < k) << sorted[i] << " " << sorted[k];
    }
  }
}

}  // namespace
}  // namespace swarm::control
