#include "raft/replica/snapshot_sender.h"

#include "raft/log/snapshot_file.h"
#include "replica_group.h"

namespace swarm::raft::test {
namespace {

const MemberId kPeer(2);
const Term kTerm(3);
const Index kIndex(9);

// Sends one snapshot of a few parts, at two parts a second.
class SnapshotSenderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<SnapshotWriter>> writer =
        SnapshotWriter::create(files_, "/snap", {kIndex, Term(1), {}}, cipher_);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->append(std::string(3 * SnapshotSender::kPartBytes, 'x')).ok());
    ASSERT_TRUE((*writer)->finish().ok());
  }

  World world_;
  SimulatedLoop loop_{world_};
  DiskLoop log_loop_{world_, Random(1), Duration{}};
  SimulatedFileSystem files_;
  PlainCipher cipher_;
  std::vector<uint64_t> sent_;
  SnapshotSender sender_{
      loop_,
      log_loop_,
      files_,
      "/snap",
      cipher_,
      2 * SnapshotSender::kPartBytes,
      {.send = [this](MemberId, const SnapshotPart& part) { sent_.push_back(part.sequence); },
       .ended = [](MemberId) {}}};
};

// A part that waits for the rate is not sent any more when the receiver asks for another, which has
// to be read first.
TEST_F(SnapshotSenderTest, APartThatNobodyWantsAnyMoreIsNotSent) {
  sender_.start(kPeer, kTerm, Index());
  ASSERT_TRUE(world_.run_until([&] { return !sent_.empty(); }));
  sender_.on_reply(kPeer, {kTerm, kIndex, 1});
  world_.run_for(milliseconds(100));  // read, and too early to go
  ASSERT_EQ(sent_, (std::vector<uint64_t>{0}));
  log_loop_.stall_until(world_.now() + seconds(2));
  sender_.on_reply(kPeer, {kTerm, kIndex, 0});  // it lost what it had
  world_.run_for(seconds(1));
  EXPECT_EQ(sent_, (std::vector<uint64_t>{0}));
  world_.run_for(seconds(2));
  EXPECT_EQ(sent_, (std::vector<uint64_t>{0, 0}));
}

// The peer fell silent, its late answer asks for a part that is still being read, and it is ordered
// a snapshot again.
TEST_F(SnapshotSenderTest, ATransferThatWasGivenUpWithNoPartAtHandBeginsAnew) {
  sender_.start(kPeer, kTerm, Index());
  ASSERT_TRUE(world_.run_until([&] { return !sent_.empty(); }));
  for (int i = 0; i < SnapshotSender::kGiveUpTicks; ++i) {
    sender_.tick();
    world_.run_for(seconds(1));  // longer than a part has to wait for the rate
  }
  sent_.clear();
  log_loop_.stall_until(world_.now() + seconds(2));
  sender_.on_reply(kPeer, {kTerm, kIndex, 1});
  sender_.start(kPeer, Term(4), Index());
  world_.run_for(seconds(1));
  EXPECT_TRUE(sent_.empty());
  ASSERT_TRUE(world_.run_until([&] { return !sent_.empty(); }));
  EXPECT_EQ(sent_, (std::vector<uint64_t>{0}));
}

}  // namespace
}  // namespace swarm::raft::test
