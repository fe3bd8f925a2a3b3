#include <memory>

#include "runtime/fake/fake_executor.h"

namespace swarm::runtime {
namespace {

Duration between(Random& random, Duration low, Duration high) {
  return low + Duration(random.below(static_cast<uint64_t>((high - low).count()) + 1));
}

FakeScript draw(Random& random) {
  FakeScript script;
  script.prepare_time = between(random, milliseconds(1), milliseconds(800));
  script.start_time = between(random, milliseconds(1), milliseconds(200));
  script.healthy_after = between(random, milliseconds(1), seconds(1));
  script.stop_time = between(random, milliseconds(1), seconds(2));
  const double fate = random.unit();
  if (fate < 0.05) {
    script.prepare_status = absl::NotFoundError("no such image");
  } else if (fate < 0.08) {
    script.start_status = absl::FailedPreconditionError("the command cannot be run");
  } else if (fate < 0.12) {
    script.unhealthy_after = between(random, milliseconds(10), seconds(20));
  } else if (fate < 0.20) {
    script.exits_after = between(random, milliseconds(10), seconds(60));
    script.exit_code = static_cast<int32_t>(random.below(3));
  } else if (fate < 0.25) {
    script.prepare_refusals = static_cast<int>(random.below(4));
    script.start_refusals = static_cast<int>(random.below(4));
  } else if (fate < 0.28) {
    script.stop_time = minutes(1);  // ignores its stop signal
  }
  return script;
}

}  // namespace

ScriptOf random_script(Random random) {
  return [source = std::make_shared<Random>(random)](
             const agent::TaskLabels&, const model::TaskTemplate&) { return draw(*source); };
}

}  // namespace swarm::runtime
