#include "control/swarm.h"

#include <gmock/gmock.h>

#include "unit/control/control_fixture.h"

namespace swarm::control {
namespace {

using absl::StatusCode;
using model::Availability;
using model::MemberId;
using model::NodeId;
using model::Role;

class SwarmTest : public ControlTest {
 protected:
  void given_swarm() {
    model::Cluster cluster;
    cluster.id = model::SwarmId("swarm");
    cluster.worker_token_secret = "worker-secret";
    cluster.manager_token_secret = "manager-secret";
    model::Node first;
    first.id = NodeId("m1");
    const Status status = apply(create_cluster(context(), cluster, first));
    ASSERT_TRUE(status.ok()) << status;
  }
  const model::Node& node(const std::string& id) const { return *view().node(NodeId(id)); }
};

TEST_F(SwarmTest, BeginsWithOneManager) {
  given_swarm();
  EXPECT_EQ(view().cluster()->id, model::SwarmId("swarm"));
  EXPECT_EQ(node("m1").spec.role, Role::manager);
  EXPECT_EQ(node("m1").role, Role::manager);
  EXPECT_EQ(store.head(), 1u);
}

TEST_F(SwarmTest, IsMadeOnce) {
  given_swarm();
  model::Cluster other;
  other.id = model::SwarmId("other");
  EXPECT_TRUE(fails_with(apply(create_cluster(context(), other, node_of("x", Role::manager))),
                         StatusCode::kFailedPrecondition, "already part of swarm swarm"));
}

TEST_F(SwarmTest, AdmitsByTheSecretOfARole) {
  given_swarm();
  for (const auto& [secret, role] :
       {std::pair("worker-secret", Role::worker), std::pair("manager-secret", Role::manager)}) {
    auto admitted = admit_node(context(), secret, Availability::active);
    ASSERT_TRUE(admitted.ok()) << admitted.status();
    EXPECT_EQ(admitted->role, role);
    const NodeId id = admitted->id;
    ASSERT_TRUE(apply(std::move(admitted->changes)).ok());
    EXPECT_EQ(view().node(id)->spec.role, role);
    EXPECT_EQ(view().node(id)->status.state, model::NodeState::unknown);
  }
  EXPECT_EQ(view().nodes().size(), 3u);
}

TEST_F(SwarmTest, ANodeIsAdmittedWithTheAvailabilityItAsksFor) {
  given_swarm();
  for (const Availability availability :
       {Availability::active, Availability::pause, Availability::drain}) {
    auto admitted = admit_node(context(), "worker-secret", availability);
    ASSERT_TRUE(admitted.ok()) << admitted.status();
    const NodeId id = admitted->id;
    ASSERT_TRUE(apply(std::move(admitted->changes)).ok());
    EXPECT_EQ(view().node(id)->spec.availability, availability);
  }
}

TEST_F(SwarmTest, AdmitsNobodyElse) {
  EXPECT_TRUE(fails_with(admit_node(context(), "x", Availability::active).status(),
                         StatusCode::kFailedPrecondition, "swarm init"));
  given_swarm();
  for (const char* secret : {"", "worker-secres", "xorker-secret", "worker-secret2", "worker"}) {
    EXPECT_TRUE(fails_with(admit_node(context(), secret, Availability::active).status(),
                           StatusCode::kPermissionDenied, "not valid"))
        << secret;
  }
}

TEST_F(SwarmTest, AnEmptySecretAdmitsNobodyEvenIfNoneIsSet) {
  model::Cluster cluster;
  cluster.id = model::SwarmId("swarm");
  given(cluster);
  EXPECT_EQ(admit_node(context(), "", Availability::active).status().code(),
            StatusCode::kPermissionDenied);
}

TEST_F(SwarmTest, ARotatedTokenStopsWorkingAndTheOtherGoesOn) {
  given_swarm();
  ASSERT_TRUE(apply(rotate_join_token(context(), Role::worker, "new-secret")).ok());
  EXPECT_EQ(admit_node(context(), "worker-secret", Availability::active).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(admit_node(context(), "new-secret", Availability::active)->role, Role::worker);
  EXPECT_EQ(admit_node(context(), "manager-secret", Availability::active)->role, Role::manager);
  EXPECT_EQ(rotate_join_token(context(), Role::worker, "").status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SwarmTest, RecordsTheRoleOfACertificateOnce) {
  given_swarm();
  ASSERT_TRUE(apply(record_role(context(), NodeId("m1"), Role::worker)).ok());
  EXPECT_EQ(node("m1").role, Role::worker);
  EXPECT_EQ(node("m1").spec.role, Role::manager);
  const model::Position head = store.head();
  ASSERT_TRUE(apply(record_role(context(), NodeId("m1"), Role::worker)).ok());
  EXPECT_EQ(store.head(), head);
  EXPECT_EQ(record_role(context(), NodeId("x"), Role::worker).status().code(),
            StatusCode::kNotFound);
}

TEST_F(SwarmTest, RecordsMembersAndTheirNewAddresses) {
  given_swarm();
  for (const char* address : {"10.0.0.1:2377", "10.0.0.2:2377"}) {
    ASSERT_TRUE(apply(record_member(context(), NodeId("m1"), {MemberId(5), address})).ok());
    EXPECT_EQ(node("m1").manager->address, address);
  }
}

TEST_F(SwarmTest, AMemberBelongsToOneNodeAndNeverReturns) {
  given_swarm();
  given(node_of("m2", Role::manager));
  ASSERT_TRUE(apply(record_member(context(), NodeId("m1"), {MemberId(5), "a:1"})).ok());
  EXPECT_EQ(record_member(context(), NodeId("m2"), {MemberId(5), "b:1"}).status().code(),
            StatusCode::kAlreadyExists);
  ASSERT_TRUE(apply(record_member_removed(context(), NodeId("m1"))).ok());
  EXPECT_FALSE(node("m1").manager);
  EXPECT_TRUE(view().cluster()->removed_members.contains(MemberId(5)));
  EXPECT_EQ(record_member(context(), NodeId("m2"), {MemberId(5), "b:1"}).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(record_member(context(), NodeId("m2"), {MemberId(0), "b:1"}).status().code(),
            StatusCode::kInvalidArgument);
  const model::Position head = store.head();
  ASSERT_TRUE(apply(record_member_removed(context(), NodeId("m1"))).ok());
  EXPECT_EQ(store.head(), head);
}

}  // namespace
}  // namespace swarm::control
