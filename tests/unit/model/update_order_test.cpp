#include "model/update_order.h"

#include <gtest/gtest.h>

namespace swarm::model {
namespace {

TaskTemplate with_mount(const Mount& mount) {
  TaskTemplate task;
  task.container.mounts.push_back(mount);
  return task;
}

const Mount kBind{.type = MountType::bind, .source = "/data", .target = "/d"};
const Mount kReadOnlyBind{
    .type = MountType::bind, .source = "/etc/app", .target = "/c", .read_only = true};
const Mount kVolume{.type = MountType::volume, .source = "data", .target = "/d"};
const Mount kReadOnlyVolume{
    .type = MountType::volume, .source = "data", .target = "/d", .read_only = true};
const Mount kAnonymousVolume{.type = MountType::volume, .source = "", .target = "/scratch"};
const Mount kTmpfs{.type = MountType::tmpfs, .source = "", .target = "/tmp"};

TEST(UpdateOrder, IsStartFirstByDefaultWithoutWritableMounts) {
  EXPECT_EQ(effective_order({}, {}), UpdateOrder::start_first);
  EXPECT_EQ(order_reason({}, {}), "default");
  for (const Mount& mount : {kReadOnlyBind, kReadOnlyVolume, kAnonymousVolume, kTmpfs}) {
    EXPECT_EQ(effective_order({}, with_mount(mount)), UpdateOrder::start_first) << mount.target;
  }
}

TEST(UpdateOrder, IsStopFirstByDefaultWithAWritableMount) {
  for (const Mount& mount : {kBind, kVolume}) {
    TaskTemplate task = with_mount(kReadOnlyBind);
    task.container.mounts.push_back(mount);
    EXPECT_EQ(effective_order({}, task), UpdateOrder::stop_first);
    EXPECT_EQ(order_reason({}, task), "default, because the mount at /d is writable");
  }
}

TEST(UpdateOrder, IsWhatWasAskedFor) {
  for (const UpdateOrder order : {UpdateOrder::start_first, UpdateOrder::stop_first}) {
    UpdatePolicy policy;
    policy.order = order;
    EXPECT_EQ(effective_order(policy, {}), order);
    EXPECT_EQ(effective_order(policy, with_mount(kVolume)), order);
    EXPECT_EQ(order_reason(policy, with_mount(kVolume)), "as requested");
  }
}

TEST(KeepsDataOnNode, WithNamedVolumesAndWritableBindMounts) {
  for (const Mount& mount : {kBind, kVolume, kReadOnlyVolume}) {
    EXPECT_TRUE(keeps_data_on_node(with_mount(mount))) << mount.target;
  }
  for (const Mount& mount : {kReadOnlyBind, kAnonymousVolume, kTmpfs}) {
    EXPECT_FALSE(keeps_data_on_node(with_mount(mount))) << mount.target;
  }
}

}  // namespace
}  // namespace swarm::model
