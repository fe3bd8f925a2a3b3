#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/service.h"

// What the --x-rm flags of `service update` take out of a spec.
namespace swarm::cli {

// One list of a spec and the flag that removes from it.
struct Removal {
  std::string_view flag;  // "--env-rm"
  std::string_view type;  // of its value, for the help
  std::string_view help;
  std::string_view noun;  // "environment variable"
  // Whether the value can be read at all.
  Status (*check)(std::string_view text);
  // What the list holds, as one would write it after the flag.
  std::vector<std::string> (*names)(const model::ServiceSpec&);
  // Takes out what `text` describes, and gives how much that was. What is given narrows the match.
  size_t (*remove)(model::ServiceSpec&, std::string_view text);
};

std::span<const Removal> removals();

// NOT_FOUND, with what there is instead, when one of `texts` matches nothing; the spec is not
// changed then.
Status remove_from(model::ServiceSpec& spec, const Removal& removal,
                   const std::vector<std::string>& texts);

// "--label-rm x: no such label; node-2 has a, b".
Status nothing_to_remove(std::string_view flag, std::string_view text, std::string_view noun,
                         std::string_view owner, const std::vector<std::string>& names);

}  // namespace swarm::cli
