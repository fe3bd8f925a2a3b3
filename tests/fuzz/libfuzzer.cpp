// The entry of libFuzzer:
//   fuzzer --target=NAME [CORPUS...] [-max_total_time=SECONDS ...]
//   fuzzer --target=NAME --seeds=FOLDER    writes the target's seeds there
//   fuzzer --list                          the names
// libFuzzer leaves alone what begins with two dashes.

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
using swarm::fuzz::targets;

const Target* chosen = nullptr;

void choose(std::string_view name) {
  for (const Target& target : targets()) {
    if (target.name == name) {
      chosen = &target;
      return;
    }
  }
  std::fprintf(stderr, "there is no target '%s'; --list shows them\n", std::string(name).c_str());
  std::exit(2);
}

void list() {
  for (const Target& target : targets()) {
    std::puts(target.name.c_str());
  }
}

void write_seeds(const std::filesystem::path& folder) {
  size_t number = 0;
  for (const std::string& seed : chosen->seeds()) {
    std::ofstream file(folder / ("seed-" + std::to_string(number++)), std::ios::binary);
    file << seed;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kTarget = "--target=";
  constexpr std::string_view kSeeds = "--seeds=";
  std::string_view seeds;
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (argument == "--list") {
      list();
      std::exit(0);
    }
    if (argument.starts_with(kTarget)) {
      choose(argument.substr(kTarget.size()));
    }
    if (argument.starts_with(kSeeds)) {
      seeds = argument.substr(kSeeds.size());
    }
  }
  if (chosen == nullptr) {
    choose("");
  }
  if (!seeds.empty()) {
    write_seeds(seeds);
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const swarm::Result<bool> is_accepted = chosen->run(input);
  SWARM_CHECK(is_accepted.ok(), std::string(is_accepted.status().message()));
  return 0;
}
