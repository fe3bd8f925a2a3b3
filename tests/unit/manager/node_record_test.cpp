#include "manager/node_record.h"

#include <gtest/gtest.h>

#include "support/simulated_file_system.h"

namespace swarm::manager {
namespace {

class NodeRecordTest : public ::testing::Test {
 protected:
  NodeRecordTest() { EXPECT_TRUE(files_.make_directories("/state").ok()); }

  static NodeRecord full_record() {
    NodeRecord record;
    record.swarm = model::SwarmId("swarm-1");
    record.node = model::NodeId("node-1");
    record.role = model::Role::manager;
    record.member = model::MemberId(7'000'000'000'000'000'000);
    record.listen_address = "0.0.0.0:2377";
    record.advertise_address = "10.0.0.5:2377";
    record.runtime = "docker";
    record.engine = "/run/podman/podman.sock";
    record.managers = {"10.0.0.5:2377", "[fd00::6]:2377"};
    return record;
  }

  Status load_text(const std::string& text) {
    EXPECT_TRUE(replace_file(files_, "/state/node", text).ok());
    return load_node_record(files_, "/state").status();
  }

  test::SimulatedFileSystem files_;
};

TEST_F(NodeRecordTest, ComesBackAsItWasSaved) {
  ASSERT_TRUE(save_node_record(files_, "/state", full_record()).ok());
  EXPECT_EQ(*load_node_record(files_, "/state"), full_record());
}

TEST_F(NodeRecordTest, OfAWorkerThatKnowsNobodyComesBackToo) {
  NodeRecord record;
  record.swarm = model::SwarmId("swarm-1");
  record.node = model::NodeId("node-1");
  ASSERT_TRUE(save_node_record(files_, "/state", record).ok());
  EXPECT_EQ(*load_node_record(files_, "/state"), record);
}

TEST_F(NodeRecordTest, SurvivesAPowerLossOnceSaved) {
  ASSERT_TRUE(save_node_record(files_, "/state", full_record()).ok());
  files_.crash_dropping_everything();
  EXPECT_EQ(*load_node_record(files_, "/state"), full_record());
}

TEST_F(NodeRecordTest, OfNoMemberIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(load_node_record(files_, "/state").status()));
}

TEST_F(NodeRecordTest, IsGoneForGoodOnceRemoved) {
  ASSERT_TRUE(save_node_record(files_, "/state", full_record()).ok());
  ASSERT_TRUE(begin_leaving(files_, "/state").ok());
  files_.crash_dropping_everything();
  EXPECT_TRUE(absl::IsNotFound(load_node_record(files_, "/state").status()));
  EXPECT_TRUE(begin_leaving(files_, "/state").ok());
}

TEST_F(NodeRecordTest, DamageIsRefused) {
  const std::string good = "swarm s\nnode n\nrole worker\nmember 0\n";
  EXPECT_TRUE(load_text(good).ok());
  EXPECT_TRUE(absl::IsDataLoss(load_text("")));
  EXPECT_TRUE(absl::IsDataLoss(load_text("swarm s\n")));
  EXPECT_TRUE(absl::IsDataLoss(load_text(good + "garbage\n")));
  EXPECT_TRUE(absl::IsDataLoss(load_text(good + "colour blue\n")));
  EXPECT_TRUE(absl::IsDataLoss(load_text("swarm s\nnode n\nrole king\n")));
  EXPECT_TRUE(absl::IsDataLoss(load_text("swarm s\nnode n\nrole manager\nmember 12x\n")));
}

TEST_F(NodeRecordTest, AMarkTellsAnEntryOrALeaveThatWasCutOffFromALostRecord) {
  EXPECT_FALSE(is_unfinished(files_, "/state"));
  ASSERT_TRUE(begin_entry(files_, "/state").ok());
  EXPECT_TRUE(is_unfinished(files_, "/state"));
  ASSERT_TRUE(save_node_record(files_, "/state", full_record()).ok());
  EXPECT_FALSE(is_unfinished(files_, "/state"));
  ASSERT_TRUE(begin_leaving(files_, "/state").ok());
  EXPECT_TRUE(is_unfinished(files_, "/state"));
  EXPECT_TRUE(absl::IsNotFound(load_node_record(files_, "/state").status()));
  ASSERT_TRUE(begin_leaving(files_, "/state").ok()) << "once more, after a crash";
  EXPECT_TRUE(is_unfinished(files_, "/state"));
  ASSERT_TRUE(remove_mark(files_, "/state").ok());
  EXPECT_FALSE(is_unfinished(files_, "/state"));
}

}  // namespace
}  // namespace swarm::manager
