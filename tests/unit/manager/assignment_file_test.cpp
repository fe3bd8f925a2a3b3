#include "manager/assignment_file.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "support/simulated_file_system.h"

namespace swarm::manager {
namespace {

constexpr const char* kPath = "/state/agent";

class AssignmentFileTest : public ::testing::Test {
 protected:
  AssignmentFileTest() { EXPECT_TRUE(files_.make_directories("/state").ok()); }

  static agent::AgentRecord record_of_two() {
    Random random(1);
    agent::AgentRecord record;
    for (int i = 0; i < 2; ++i) {
      model::Assignment assignment;
      assignment.task = model::TaskId(random_id(random));
      assignment.service = model::ServiceId("service");
      assignment.service_name = "web";
      assignment.slot = 3;
      assignment.revision = 2;
      assignment.spec.container.image = "web:2";
      record.assigned.push_back(assignment);
      model::TaskReport report;
      report.task = assignment.task;
      report.status.state = model::TaskState::running;
      report.status.message = "up";
      record.reports.push_back(report);
    }
    return record;
  }

  test::SimulatedFileSystem files_;
  AssignmentFile file_{files_, kPath};
};

TEST_F(AssignmentFileTest, IsEmptyBeforeTheFirstSave) {
  const Result<agent::AgentRecord> record = file_.load();
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_TRUE(record->assigned.empty());
  EXPECT_TRUE(record->reports.empty());
}

TEST_F(AssignmentFileTest, GivesBackTheNewestRecordAlsoAfterAPowerLoss) {
  ASSERT_TRUE(file_.save({}).ok());
  const agent::AgentRecord record = record_of_two();
  ASSERT_TRUE(file_.save(record).ok());
  files_.crash_dropping_everything();
  const Result<agent::AgentRecord> loaded = AssignmentFile(files_, kPath).load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->assigned, record.assigned);
  ASSERT_EQ(loaded->reports.size(), 2U);
  EXPECT_EQ(loaded->reports[1].task, record.reports[1].task);
  EXPECT_EQ(loaded->reports[1].status, record.reports[1].status);
}

// A file that ends anywhere but at the end of a record is refused.
TEST_F(AssignmentFileTest, CutOffAnywhereItIsRefusedOrHoldsWholeRecords) {
  const agent::AgentRecord record = record_of_two();
  ASSERT_TRUE(file_.save(record).ok());
  const std::string whole = *read_file(files_, kPath, 1 << 20);
  size_t readable = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(replace_file(files_, kPath, whole.substr(0, size)).ok());
    const Result<agent::AgentRecord> loaded = file_.load();
    if (loaded.ok()) {
      ++readable;
    } else {
      EXPECT_TRUE(absl::IsDataLoss(loaded.status())) << size;
    }
  }
  EXPECT_EQ(readable, 4U) << "after the header and after each record but the last";
}

TEST_F(AssignmentFileTest, AnythingElseIsRefused) {
  for (const char* text : {"", "nonsense", "swarmd agent record 2\n"}) {
    ASSERT_TRUE(replace_file(files_, kPath, text).ok());
    EXPECT_TRUE(absl::IsDataLoss(file_.load().status())) << text;
  }
  std::string unknown = "swarmd agent record 1\nZ";
  unknown.append(4, '\0');
  ASSERT_TRUE(replace_file(files_, kPath, unknown).ok());
  EXPECT_TRUE(absl::IsDataLoss(file_.load().status()));
}

TEST_F(AssignmentFileTest, ATaskIdOfAnotherLengthIsNotSaved) {
  agent::AgentRecord record = record_of_two();
  record.reports[0].task = model::TaskId("short");
  EXPECT_TRUE(absl::IsInvalidArgument(file_.save(record)));
}

}  // namespace
}  // namespace swarm::manager
