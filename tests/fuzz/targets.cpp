#include "fuzz/target.h"

namespace swarm::fuzz {

std::span<const Target> targets() {
  static const Target all[] = {
      {"raft_message", run_raft_message, raft_message_seeds},
      {"raft_log", run_raft_log, raft_log_seeds},
      {"raft_snapshot", run_raft_snapshot, raft_snapshot_seeds},
      {"mesh_frames", run_mesh_frames, mesh_frame_seeds},
      {"mesh_control", run_mesh_control, mesh_control_seeds},
      {"http", run_http, http_seeds},
      {"texts", run_texts, text_seeds},
      {"change_set", run_change_set, change_set_seeds},
      {"store_snapshot", run_store_snapshot, store_snapshot_seeds},
      {"agent_messages", run_agent_messages, agent_message_seeds},
  };
  return all;
}

}  // namespace swarm::fuzz
