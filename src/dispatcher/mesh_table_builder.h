#pragma once

#include <map>
#include <optional>
#include <set>

#include "model/agent_messages.h"
#include "state/view.h"

namespace swarm::dispatcher {

// Computes the mesh table from the store: every service that publishes ports, with one endpoint for
// each of its tasks that is observed running on a node whose mesh can be reached. An endpoint is
// ready while its task is wanted to run and draining once it is not. A node that is down keeps its
// endpoints until its tasks are replaced: its containers and its mesh outlive its agent, and an
// entry mesh that cannot reach one tries another.
//
// A service that was removed has no ports any more, but is listed while its tasks drain.
//
// Nodes that were removed from the swarm are listed, so that meshes refuse them.
//
// Only services that changes touched are computed anew. Values only.
class MeshTableBuilder {
 public:
  // Everything is news.
  void load(const state::View& view);
  // Whether the change may alter the table.
  bool observe(const state::View& view, const state::Change& change);
  // Brings the table up to the view. Whether it has changed.
  bool refresh(const state::View& view);

  const model::MeshTable& table() const { return table_; }

  // The table with which the ports of the service became what the view says they are; nothing while
  // no table has them. After a failover that is the first table of this leader.
  std::optional<model::Position> ports_since(const state::View& view,
                                             const model::ServiceId& service) const;

 private:
  bool refresh_service(const state::View& view, const model::ServiceId& id);
  bool refresh_removed(const state::View& view);

  std::map<model::ServiceId, model::MeshService> services_;
  std::map<model::ServiceId, model::Position> ports_since_;
  std::set<model::ServiceId> dirty_;
  bool has_new_removals_ = false;
  model::MeshTable table_;
};

}  // namespace swarm::dispatcher
