#include "wire/task_codec.h"

#include "wire/enum_codec.h"
#include "wire/fields.h"

namespace swarm::wire {

void encode(const model::TaskStatus& status, v1::TaskStatus* out) {
  out->set_state(encode(status.state));
  out->set_at_ns(to_ns(status.at));
  out->set_message(status.message);
  out->set_failure(status.error);
  if (status.exit_code) {
    out->set_exit_code(*status.exit_code);
  }
  out->set_container_id(status.container_id);
  out->set_wait(encode(status.wait));
  out->set_running_since_ns(to_ns(status.running_since));
  out->set_revision(status.revision);
  out->set_is_external_stop(status.is_external_stop);
}

Result<model::TaskStatus> decode(const v1::TaskStatus& in) {
  model::TaskStatus status;
  SWARM_ASSIGN_OR_RETURN(status.state, decode(in.state()));
  status.at = time_of(in.at_ns());
  status.message = in.message();
  status.error = in.failure();
  if (in.has_exit_code()) {
    status.exit_code = in.exit_code();
  }
  status.container_id = in.container_id();
  SWARM_ASSIGN_OR_RETURN(status.wait, decode(in.wait()));
  status.running_since = time_of(in.running_since_ns());
  status.revision = in.revision();
  status.is_external_stop = in.is_external_stop();
  return status;
}

void encode(const model::Task& task, v1::Task* out) {
  out->set_id(task.id.value());
  encode(task.meta, out->mutable_meta());
  out->set_service(task.service.value());
  out->set_slot(task.slot);
  out->set_revision(task.revision);
  out->set_node(task.node.value());
  out->set_desired(encode(task.desired));
  encode(task.status, out->mutable_status());
  out->set_not_before_ns(to_ns(task.not_before));
  out->set_predecessor(task.predecessor.value());
  out->set_restarts(task.restarts);
  out->set_window_restarts(task.window_restarts);
  out->set_window_started_at_ns(to_ns(task.window_started_at));
  out->set_is_rollout(task.is_rollout);
}

Result<model::Task> decode(const v1::Task& in) {
  model::Task task;
  task.id = model::TaskId(in.id());
  task.meta = decode(in.meta());
  task.service = model::ServiceId(in.service());
  task.slot = in.slot();
  task.revision = in.revision();
  task.node = model::NodeId(in.node());
  SWARM_ASSIGN_OR_RETURN(task.desired, decode(in.desired()));
  SWARM_ASSIGN_OR_RETURN(task.status, decode(in.status()));
  task.not_before = time_of(in.not_before_ns());
  task.predecessor = model::TaskId(in.predecessor());
  task.restarts = in.restarts();
  task.window_restarts = in.window_restarts();
  task.window_started_at = time_of(in.window_started_at_ns());
  task.is_rollout = in.is_rollout();
  return task;
}

void encode(const model::TaskWait& wait, v1::TaskWait* out) {
  out->set_what(wait.what);
  out->set_since_ns(to_ns(wait.since));
  out->set_limit_ns(to_ns(wait.limit));
}

Result<model::TaskWait> decode(const v1::TaskWait& in) {
  return model::TaskWait{in.what(), time_of(in.since_ns()), duration_of(in.limit_ns())};
}

}  // namespace swarm::wire
