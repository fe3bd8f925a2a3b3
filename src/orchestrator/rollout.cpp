#include <algorithm>

#include "base/units.h"
#include "orchestrator/orchestrators.h"
#include "orchestrator/rollout_step.h"
#include "orchestrator/service_reconciler.h"

namespace swarm::orchestrator {
namespace {

class RolloutReconciler final : public ServiceReconciler {
 public:
  using ServiceReconciler::ServiceReconciler;
  const char* name() const override { return "rollout"; }

 protected:
  using ServiceReconciler::concerns;

  bool concerns(const state::View& view, const state::TaskPtr& before,
                const state::TaskPtr& after) const override {
    const state::ServicePtr service = view.service(after ? after->service : before->service);
    return service && is_rollout_moving(*service);
  }

  bool concerns(const state::ServicePtr&, const state::ServicePtr& after) const override {
    return after && is_rollout_moving(*after);
  }

  std::optional<WallTime> plan_service(const model::Service& service, Plan& plan) override {
    if (service.is_removed || !is_rollout_moving(service)) {
      return std::nullopt;
    }
    return RolloutStep(service, plan).run();
  }
};

}  // namespace

std::unique_ptr<state::Reconciler> make_rollout(Random random) {
  return std::make_unique<RolloutReconciler>(random);
}

}  // namespace swarm::orchestrator
