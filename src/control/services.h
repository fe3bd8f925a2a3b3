#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "control/context.h"
#include "model/service.h"

namespace swarm::control {

struct CreatedService {
  model::ServiceId id;
  state::ChangeSet changes;
};
// Revision 1. Published port 0 is given a free one from 30000-32767. An empty `id` is chosen at
// random.
Result<CreatedService> create_service(Context context, model::ServiceSpec spec,
                                      model::ServiceId id = {});

// The id of the service that the request with this number creates: it follows from the number, so
// that a request that comes again finds what it made, named or not.
model::ServiceId service_id_of(uint64_t request);

// A change of spec.task makes a new revision and a rollout to it (which replaces one that runs or
// is paused); everything else just changes. Any update of a service whose rollout is paused resumes
// it; otherwise one that changes nothing is accepted and changes nothing. The name cannot change.
Result<state::ChangeSet> update_service(Context context, const model::ServiceId& id,
                                        model::Position version, model::ServiceSpec spec);

// To `to`, or to the revision that converged last before the present one, so that two rollbacks
// return to the start and none goes to what never worked. Scale, labels and policies stay as they
// are.
Result<state::ChangeSet> rollback_service(Context context, std::string_view reference,
                                          std::optional<model::RevisionNumber> to);

Result<state::ChangeSet> scale_service(Context context, std::string_view reference,
                                       uint64_t replicas);

// Marks it removed; its tasks stop, then the record goes.
Result<state::ChangeSet> remove_service(Context context, std::string_view reference);

}  // namespace swarm::control
