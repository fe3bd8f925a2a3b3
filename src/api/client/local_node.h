#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "base/result.h"
#include "base/time.h"
#include "model/node.h"

namespace swarm::api {

class Gateway;

// What the local socket offers on every node, member of a swarm or not: implemented by the daemon's
// node. From any thread; callbacks on any thread.
class LocalNode {
 public:
  struct Info {
    std::string version;
    bool is_member = false;
    model::NodeId node;
    model::SwarmId swarm;
    model::Role role = model::Role::worker;
    bool is_leader = false;
    std::string leader_address;
    std::string advertise_address;
    std::string runtime;
    std::string hostname;
    std::string manager_refusal;  // as of NodeDescription
    // Not empty: the state folder holds a membership that cannot be taken up again. Why, and the
    // cure, as a sentence. The node is then no member and does nothing but tell this.
    std::string membership_fault;
    // What the user should know of this node, one sentence: that it was removed from its swarm.
    std::string notice;
  };

  struct InitOptions {
    std::string listen_address;     // "" = every address, port 2377
    std::string advertise_address;  // "" = detect
    // Advertises an address that this machine does not have, as behind a translator of addresses.
    bool force = false;
    model::Availability availability = model::Availability::active;
    // Instead of a new swarm: this manager, the survivor of one that lost its quorum for good, goes
    // on as its only manager. Empty addresses stay as they are.
    bool force_new_cluster = false;
    Duration certificate_validity{};  // 0 = the default
    Duration certificate_grace{};     // 0 = the default
  };
  struct Initialized {
    model::NodeId node;
    std::string worker_token;
    std::string manager_token;
    std::string advertise_address;  // "10.0.0.5:2377"
  };
  struct JoinOptions {
    std::string manager_address;
    std::string token;
    std::string listen_address;
    std::string advertise_address;
    bool force = false;  // as of InitOptions
    model::Availability availability = model::Availability::active;
  };

  struct BackedUp {
    model::SwarmId swarm;
    model::Position position = 0;
    uint64_t bytes = 0;
  };
  struct RestoreOptions {
    std::string file;               // an absolute path on this machine
    std::string listen_address;     // as of InitOptions
    std::string advertise_address;  // as of InitOptions
    bool force = false;             // as of InitOptions
  };

  virtual ~LocalNode() = default;

  virtual Info info() const = 0;
  virtual void init(InitOptions options, absl::AnyInvocable<void(Result<Initialized>)> done) = 0;
  // Gives the role the token was for.
  virtual void join(JoinOptions options, absl::AnyInvocable<void(Result<model::Role>)> done) = 0;
  virtual void leave(bool force, absl::AnyInvocable<void(Status)> done) = 0;

  // Writes all that the swarm is into `file`, an absolute path on this machine; on a manager.
  virtual void backup(std::string file, absl::AnyInvocable<void(Result<BackedUp>)> done) = 0;
  // Makes this node, which is in no swarm, the only manager of the one in a backup.
  virtual void restore(RestoreOptions options,
                       absl::AnyInvocable<void(Result<Initialized>)> done) = 0;

  // The manager of this node; null unless it is one. Valid until `leave` or a demotion: hold it
  // only while a call is served (the node waits for those).
  virtual std::shared_ptr<Gateway> gateway() = 0;
};

}  // namespace swarm::api
