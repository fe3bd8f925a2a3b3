#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "raft/core/raft_core.h"

namespace swarm::raft::test {

// Runs the commands of a transcript against a few cores and prints what they do, in the manner of
// etcd-io/raft's interaction tests. Storage and apply acknowledge at once, unless held; messages
// wait until they are delivered.
//
//   options NAME VALUE   of cores that are made after it: append_bytes, inflight_messages,
//                        uncommitted_bytes
//   cluster N            members 1..N, each with the same first entry
//   spare ID             a member that is in no group yet
//   campaign ID          starts a pre-vote; with `deliver` the usual way to a leader
//   tick ID [N]          N ticks
//   propose ID TEXT      | ask ID TEXT: a numbered proposal, whose outcome is printed
//   change ID CHANGES    add=4 promote=4 remove=3 address=2=there, in one step
//   address ID WHERE     where ID is reached from now on
//   transfer ID TO       | read ID
//   refused ID PEER      the process of PEER is gone
//   hold ID | release ID storage of ID stops (goes on) to acknowledge
//   sync ID              storage that is held acknowledges one operation
//   full ID | room ID    the disk of ID is full (has room)
//   stop_apply ID | resume_apply ID
//   compact ID INDEX     a snapshot at INDEX was saved, and the log cut there
//   sent ID TO           ID is done with sending a snapshot to TO
//   restart ID           with what its storage acknowledged
//   deliver [quiet | N]  until no message is under way, or N messages
//   drop [A B]           forgets all messages (from A to B)
//   delay A B | arrive   keeps the messages from A to B back | lets them go on
//   repeat               every message under way exists twice
//   cut A [B] | heal     messages of A (from A to B) are lost
//   state                one line a member
//   log ID               terms of the entries
//   progress ID          what the leader knows of its peers
class Interaction {
 public:
  std::string run(const std::string& line);

 private:
  struct Disk {
    HardState hard_state;
    SnapshotMeta snapshot;
    std::vector<Entry> entries;
    std::deque<PersistOp> waiting;
    bool is_held = false;
  };
  struct Sent {
    MemberId from;
    Envelope envelope;
  };

  // interaction.cpp
  void make(MemberId id, const SnapshotMeta& snapshot, Term term);
  void start(MemberId id, InitialState state);
  void settle(MemberId id);
  void carry_out(MemberId id, Effects effects);
  void persist(MemberId id);
  void sync(MemberId id, size_t count);
  void acknowledge_apply(MemberId id);
  void deliver(int most);
  void say(const std::string& text);

  // interaction_commands.cpp
  void command(const std::string& name, std::istringstream& arguments);
  void set_option(const std::string& name, std::istringstream& arguments);
  bool network_command(const std::string& name, std::istringstream& arguments);
  bool storage_command(MemberId id, const std::string& name, std::istringstream& arguments);
  void core_command(MemberId id, const std::string& name, std::istringstream& arguments);
  void restart(MemberId id);
  bool is_cut(MemberId from, MemberId to) const;
  void print_state();
  void print_log(MemberId id);
  void print_progress(MemberId id);

  CoreOptions options_;
  std::map<MemberId, std::unique_ptr<RaftCore>> cores_;
  std::map<MemberId, Disk> disks_;
  std::map<MemberId, Role> roles_;
  std::map<MemberId, Index> applied_;
  std::set<MemberId> stuck_appliers_;
  std::deque<Sent> under_way_;
  std::vector<Sent> delayed_;
  std::set<std::pair<MemberId, MemberId>> cut_;  // to nobody: both ways, with everybody
  uint64_t lives_ = 0;
  uint64_t last_read_ = 0;
  uint64_t last_proposal_ = 0;
  bool is_quiet_ = false;
  std::string output_;
};

}  // namespace swarm::raft::test
