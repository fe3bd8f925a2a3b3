#include "control/generated_name.h"

#include <array>
#include <string_view>

namespace swarm::control {

namespace {

constexpr std::array<std::string_view, 32> kAdjectives = {
    "able",   "agile", "amber", "bold",  "brave", "brisk",  "calm",  "clear",
    "clever", "crisp", "eager", "early", "fair",  "fleet",  "fond",  "fresh",
    "gentle", "glad",  "grand", "keen",  "kind",  "lively", "lucid", "merry",
    "neat",   "proud", "quick", "quiet", "sharp", "steady", "sunny", "warm"};
constexpr std::array<std::string_view, 32> kNouns = {
    "badger",  "beaver", "bison",  "crane",  "dolphin", "eagle",   "falcon", "ferret",
    "finch",   "fox",    "gecko",  "hare",   "heron",   "hornet",  "ibis",   "jaguar",
    "kestrel", "lark",   "lynx",   "marten", "otter",   "owl",     "panda",  "puffin",
    "raven",   "robin",  "salmon", "seal",   "stork",   "swallow", "tiger",  "wren"};
// After so many tries most names are taken: a third word makes it unique.
constexpr int kTries = 32;

}  // namespace

std::string generate_name(const state::View& view, Random& random) {
  for (int i = 0;; ++i) {
    std::string name(kAdjectives[random.below(kAdjectives.size())]);
    name.append("-").append(kNouns[random.below(kNouns.size())]);
    if (i >= kTries) {
      name.append("-").append(random_id(random).substr(0, 6));
    }
    if (view.service_by_name(name) == nullptr) {
      return name;
    }
  }
}

}  // namespace swarm::control
