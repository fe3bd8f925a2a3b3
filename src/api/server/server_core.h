#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "api/channel.h"
#include "api/client/local_node.h"
#include "api/gateway.h"
#include "api/server/identity_cache.h"
#include "api/server/strangers.h"
#include "base/random.h"
#include "base/result.h"
#include "model/ids.h"

namespace swarm::api {

// A stream that a stopping server has to end: streams never end by themselves.
class ClosableStream {
 public:
  virtual ~ClosableStream() = default;
  // From any thread, also when the stream is over already.
  virtual void close(Status reason) = 0;
};

// What all services of one server share. Calls hold it, so that an answer that comes late, after
// the server has stopped, finds it closed instead of gone. From any thread.
class ServerCore {
 public:
  // An empty `swarm` makes the core of the local socket, whose callers need no certificate.
  ServerCore(LocalNode& node, model::SwarmId swarm, CredentialsSource credentials,
             Duration leader_budget);

  bool is_local() const { return swarm_.is_empty(); }
  const model::SwarmId& swarm() const { return swarm_; }
  Duration leader_budget() const { return leader_budget_; }
  ChannelCache& channels() { return channels_; }
  IdentityCache& identities() { return identities_; }
  // Before the first call. Without, nobody is told who calls.
  void set_strangers(std::shared_ptr<Strangers> strangers) { strangers_ = std::move(strangers); }
  Strangers* strangers() { return strangers_.get(); }
  // By which the leader knows a write when it comes again (model::RequestId): never 0.
  uint64_t next_request_number();

  // Null when this node is no manager, or the server has stopped.
  std::shared_ptr<Gateway> gateway() const;
  LocalNode::Info info() const;
  // Why there is no gateway, and what to do about it.
  Status not_a_manager() const;

  // Calls `use` with the node unless the server has stopped.
  Status with_node(const std::function<void(LocalNode&)>& use) const;

  // False once closed: the stream must not be served.
  bool add_stream(const std::shared_ptr<ClosableStream>& stream);
  void remove_stream(ClosableStream* stream);

  // The node is not touched any more after this, and every stream was told to end.
  void close();

 private:
  mutable std::shared_mutex node_mutex_;
  LocalNode* node_;
  const model::SwarmId swarm_;
  const Duration leader_budget_;
  ChannelCache channels_;
  IdentityCache identities_;
  std::shared_ptr<Strangers> strangers_;

  std::mutex random_mutex_;
  Random random_ = Random::from_system();

  std::mutex streams_mutex_;
  bool is_closed_ = false;
  std::map<ClosableStream*, std::weak_ptr<ClosableStream>> streams_;
};

}  // namespace swarm::api
