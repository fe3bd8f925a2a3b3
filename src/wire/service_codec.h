#pragma once

#include "base/result.h"
#include "model/service.h"

namespace swarm::v1 {
class PublishedPort;
class Resources;
class TaskTemplate;
class UpdatePolicy;
class ServiceSpec;
class Rollout;
class Service;
class Revision;
}  // namespace swarm::v1

// Services and what they are made of. `encode` fills a cleared message; `decode` refuses with
// INVALID_ARGUMENT what model cannot hold (unknown enum values, ports over 65535, repeated label
// keys, a spec over model::kMaxSpecBytes). Whether the values make sense is the business of
// model/validate.h.
namespace swarm::wire {

void encode(const model::PublishedPort& port, v1::PublishedPort* out);
void encode(const model::Resources& resources, v1::Resources* out);
void encode(const model::TaskTemplate& task, v1::TaskTemplate* out);
void encode(const model::UpdatePolicy& policy, v1::UpdatePolicy* out);
void encode(const model::ServiceSpec& spec, v1::ServiceSpec* out);
void encode(const model::Rollout& rollout, v1::Rollout* out);
void encode(const model::Service& service, v1::Service* out);
void encode(const model::Revision& revision, v1::Revision* out);

Result<model::PublishedPort> decode(const v1::PublishedPort& in);
Result<model::Resources> decode(const v1::Resources& in);
Result<model::TaskTemplate> decode(const v1::TaskTemplate& in);
Result<model::UpdatePolicy> decode(const v1::UpdatePolicy& in);
Result<model::ServiceSpec> decode(const v1::ServiceSpec& in);
Result<model::Rollout> decode(const v1::Rollout& in);
Result<model::Service> decode(const v1::Service& in);
Result<model::Revision> decode(const v1::Revision& in);

}  // namespace swarm::wire
