#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "model/service.h"

namespace CLI {
class App;
}

// The flags of `service create` and `service update` as edits of a spec: create applies them to the
// defaults, update to what is stored, so that a flag that was not given changes nothing.
namespace swarm::cli {

struct Environment;

using SpecEdit = std::function<Status(model::ServiceSpec&)>;

// Filled while the command line is parsed; in the order in which the flags are declared, which puts
// every --x-rm before its --x-add.
struct SpecEdits {
  std::vector<SpecEdit> edits;

  void add(SpecEdit edit) { edits.push_back(std::move(edit)); }
  Status apply(model::ServiceSpec& spec) const;
};

// Flags with one value, the same for both commands; only an update has something to clear.
enum class SpecCommand { create, update };
void add_spec_flags(CLI::App& app, SpecEdits& edits, SpecCommand command);

// Lists: whole ones for create, additions and removals for update.
void add_create_list_flags(CLI::App& app, SpecEdits& edits, Environment& environment);
void add_update_list_flags(CLI::App& app, SpecEdits& edits, Environment& environment);

}  // namespace swarm::cli
