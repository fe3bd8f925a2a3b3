#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "raft/core/raft_core.h"

namespace swarm::raft::test {

// Runs the commands of a transcript against a few cores and prints what they do, in the manner of
// etcd-io/raft's interaction tests. Storage and apply acknowledge at once, unless held; messages
// wait until they are delivered.
//
//   cluster N            members 1..N, each with the same first entry
//   spare ID             a member that is in no group yet
//   campaign ID          starts a pre-vote; with `deliver` the usual way to a leader
//   tick ID [N]          N ticks
//   propose ID TEXT      add ID NEW | remove ID OLD | transfer ID TO | read ID
//   refused ID PEER      the process of PEER is gone
//   hold ID | release ID storage of ID stops (goes on) to acknowledge
//   sync ID              storage that is held acknowledges one operation
//   compact ID INDEX     a snapshot at INDEX was saved, and the log cut there
//   restart ID           with what its storage acknowledged
//   deliver [quiet]      until no message is under way
//   drop [A B]           forgets all messages (from A to B)
//   repeat               every message under way exists twice
//   cut ID | heal        messages of ID are lost
//   state                one line a member
//   log ID               terms of the entries
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

  void make(MemberId id, const SnapshotMeta& snapshot, Term term);
  void settle(MemberId id);
  void carry_out(MemberId id, Effects effects);
  void persist(MemberId id);
  void sync(MemberId id, size_t count);
  void deliver();
  void command(const std::string& name, std::istringstream& arguments);
  void storage_command(const std::string& name, std::istringstream& arguments);
  void network_command(const std::string& name, std::istringstream& arguments);
  void print_state();
  void print_log(MemberId id);
  void say(const std::string& text);

  std::map<MemberId, std::unique_ptr<RaftCore>> cores_;
  std::map<MemberId, Disk> disks_;
  std::map<MemberId, Role> roles_;
  std::deque<Sent> under_way_;
  std::set<MemberId> cut_;
  uint64_t last_read_ = 0;
  bool is_quiet_ = false;
  std::string output_;
};

}  // namespace swarm::raft::test
