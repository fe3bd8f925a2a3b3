// The entry of libFuzzer: fuzz_TARGET [CORPUS...] [-max_total_time=SECONDS ...]. With
// `--seeds=FOLDER` it only writes the target's seeds there.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/check.h"
#include "fuzz/target.h"

namespace {

using swarm::fuzz::Target;

const Target& target() {
  for (const Target& one : swarm::fuzz::targets()) {
    if (one.name == SWARM_FUZZ_TARGET) {
      return one;
    }
  }
  swarm::check_failed(__FILE__, __LINE__, SWARM_FUZZ_TARGET, "there is no such target");
}

void write_seeds(const std::filesystem::path& folder) {
  size_t number = 0;
  for (const std::string& seed : target().seeds()) {
    std::ofstream file(folder / ("seed-" + std::to_string(number++)), std::ios::binary);
    file << seed;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kSeeds = "--seeds=";
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (argument.starts_with(kSeeds)) {
      write_seeds(argument.substr(kSeeds.size()));
      std::exit(0);
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const swarm::Result<bool> is_accepted = target().run(input);
  SWARM_CHECK(is_accepted.ok(), std::string(is_accepted.status().message()));
  return 0;
}
