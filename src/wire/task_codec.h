#pragma once

#include "base/result.h"
#include "model/task.h"

namespace swarm::v1 {
class TaskStatus;
class Task;
class TaskWait;
}  // namespace swarm::v1

// Tasks. Errors as in service_codec.h.
namespace swarm::wire {

void encode(const model::TaskStatus& status, v1::TaskStatus* out);
void encode(const model::Task& task, v1::Task* out);
void encode(const model::TaskWait& wait, v1::TaskWait* out);

Result<model::TaskStatus> decode(const v1::TaskStatus& in);
Result<model::Task> decode(const v1::Task& in);
Result<model::TaskWait> decode(const v1::TaskWait& in);

}  // namespace swarm::wire
