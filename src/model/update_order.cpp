#include "model/update_order.h"

#include <algorithm>

namespace swarm::model {
namespace {

// A volume without a source is anonymous: each task gets its own.
bool is_named_volume(const Mount& mount) {
  return mount.type == MountType::volume && !mount.source.empty();
}

bool is_shared_and_writable(const Mount& mount) {
  return !mount.read_only && (mount.type == MountType::bind || is_named_volume(mount));
}

// The first one; null when there is none.
const Mount* writable_mount(const TaskTemplate& task) {
  const auto& mounts = task.container.mounts;
  const auto found = std::find_if(mounts.begin(), mounts.end(), is_shared_and_writable);
  return found == mounts.end() ? nullptr : &*found;
}

}  // namespace

UpdateOrder effective_order(const UpdatePolicy& policy, const TaskTemplate& task) {
  if (policy.order) {
    return *policy.order;
  }
  return writable_mount(task) ? UpdateOrder::stop_first : UpdateOrder::start_first;
}

std::string order_reason(const UpdatePolicy& policy, const TaskTemplate& task) {
  if (policy.order) {
    return "as requested";
  }
  const Mount* mount = writable_mount(task);
  return mount ? "default, because the mount at " + mount->target + " is writable" : "default";
}

bool keeps_data_on_node(const TaskTemplate& task) {
  const auto& mounts = task.container.mounts;
  return std::any_of(mounts.begin(), mounts.end(), [](const Mount& mount) {
    return is_named_volume(mount) || is_shared_and_writable(mount);
  });
}

}  // namespace swarm::model
