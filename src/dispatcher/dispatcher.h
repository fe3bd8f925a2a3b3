#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "dispatcher/mesh_probe.h"
#include "dispatcher/session_sink.h"
#include "state/output_gate.h"
#include "state/store.h"

namespace swarm::dispatcher {

// The leader's side of all agents: sessions, heartbeats, assignments down, statuses up, the mesh
// table. It decides nothing about tasks; it carries the store's word to the nodes and theirs to the
// store. Lives with a leadership on the control loop. After swarmkit's dispatcher, with what that
// one lacks: nothing is sent before it is committed (OutputGate), and progress is not written to
// the log.
//
// Every heartbeat is answered with SessionAccepted (period, misses, role): an agent whose leader
// falls silent looks for another. Deadlines of heartbeats are soft and start anew, doubled, with
// every leader; nodes keep their stored state meanwhile and are not set to `unknown`, but for the
// node of the leader before (see `doubt`).
class Dispatcher {
 public:
  // Without a probe a node whose daemon is away is lost.
  static std::unique_ptr<Dispatcher> make(EventLoop& loop, state::Store& store,
                                          state::OutputGate& gate, Random random,
                                          MeshProbe probe = nullptr);
  virtual ~Dispatcher() = default;

  // A node with a valid certificate has opened a stream. Once it has said hello it is the session
  // of the node, and ends the one before of the same daemon. When another daemon has the node's
  // session, it has to wait: as soon as that one is heard of again, two machines use the identity
  // of the node, and the newcomer is refused (ALREADY_EXISTS); when that one falls silent or its
  // stream breaks, the newcomer is let in. `address`: its host as the manager sees it.
  virtual Result<model::SessionId> open(const model::NodeId& node, const std::string& address,
                                        std::unique_ptr<SessionSink> sink) = 0;
  virtual void receive(const model::SessionId& session, model::AgentUpMessage message) = 0;
  // The stream is gone (peer, network); not called after SessionSink::close.
  virtual void stream_closed(const model::SessionId& session) = 0;

  // The store has changed; called by the manager after every transaction, also from within the
  // store's observer: never commits.
  virtual void observe(const std::vector<state::Change>& changes) = 0;
  // The node may be gone although it is stored as ready: it is suspect until it is heard of.
  virtual void doubt(const model::NodeId& node) = 0;
  // The managers agents may turn to, leader first.
  virtual void set_managers(model::ManagerList managers) = 0;

  // The soft progress of a task (accepted ... starting), newer than the stored status; null if
  // none.
  virtual const model::TaskStatus* soft_status(const model::TaskId& task) const = 0;
  // Whether the node has said that it opened the published ports of the service as they are now, or
  // reported why it could not.
  virtual bool has_opened(const model::NodeId& node, const model::ServiceId& service) const = 0;
};

}  // namespace swarm::dispatcher
