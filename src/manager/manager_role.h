#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/credentials_source.h"
#include "base/asio_loop.h"
#include "base/file_system.h"
#include "base/result.h"
#include "base/thread_loop.h"
#include "manager/enter_swarm.h"
#include "manager/gateway.h"
#include "manager/manager.h"
#include "manager/node_record.h"
#include "manager/openssl_signer.h"
#include "raft/log/payload_cipher.h"

namespace swarm::api {
class PeerTransport;
}

namespace swarm::manager {

// In the state folder, beside the raft log: raft/log/promise_file.h.
inline constexpr const char* kPromisesFile = "raft.promises";

// Everything a node runs because it is a manager: the three loops with their threads, the
// transport, the sealed log, the manager and its gateway. Built when the node becomes one, stopped
// when it no longer is. Owned by the node's lifecycle loop.
class ManagerRole {
 public:
  // How the group begins. By default as the log has it, or, when that is empty, as the leader
  // tells.
  struct Start {
    enum class Kind {
      resume,       // this member took part before: its log must be there
      enter,        // its log is empty, or holds the snapshot of a backup
      found,        // a new swarm
      force_alone,  // without the others, for good
    };
    Kind kind = Kind::resume;
    FirstTransaction first = nullptr;  // to be committed before anything else
  };
  // A member whose log is empty must be told whom to answer: `find_members` asks the swarm.
  using FindMembers = std::function<std::vector<raft::Member>()>;
  // DATA_LOSS when its durable state is lost or damaged: then this node must not be a manager.
  // `on_state_lost`, on the raft loop: that was found out later, by the leader.
  static Result<std::unique_ptr<ManagerRole>> open(const NodeRecord& record,
                                                   const std::filesystem::path& directory,
                                                   FileSystem& files,
                                                   api::CredentialsSource credentials, Start start,
                                                   const FindMembers& find_members,
                                                   std::function<void(Status)> on_state_lost);
  ~ManagerRole();

  const std::shared_ptr<ManagerGateway>& gateway() const { return gateway_; }
  Manager& manager() { return *manager_; }

  // Hands leadership over if it can, then stops. Nothing calls the gateway any more.
  void stop();

 private:
  explicit ManagerRole(std::unique_ptr<raft::PayloadCipher> cipher);
  std::unique_ptr<api::PeerTransport> make_transport(model::MemberId member,
                                                     api::CredentialsSource credentials);

  std::unique_ptr<raft::PayloadCipher> cipher_;
  ThreadLoop control_loop_{"control"};
  AsioLoop raft_loop_{"raft"};
  ThreadLoop log_loop_{"log"};
  OpensslSigner signer_{control_loop_};
  std::unique_ptr<raft::Transport> transport_;
  std::shared_ptr<Manager> manager_;
  std::shared_ptr<ManagerGateway> gateway_;
  bool is_stopped_ = false;
};

}  // namespace swarm::manager
