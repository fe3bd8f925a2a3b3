#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "mesh/http_tracker.h"
#include "mesh/port_plan.h"
#include "mesh/proxy/mesh_node.h"
#include "mesh/proxy/upstream.h"

namespace swarm::mesh {

// One client connection, from its acceptance to its end, through any number of tasks.
//
//   seeking --> relaying --> closing --> closed
//      ^           |
//      +- parked <-+     the task behind it left between two requests, or within the head of one;
//                        the client does not notice
//
// What makes that safe: nothing is read from a client that has no task (it waits in the kernel), so
// that everything before the first forwarded byte can be tried again elsewhere; and a client is
// moved only when HttpTracker says that no request is under way and all of it has been written
// through. A task that dies is another matter: then a request that harms nobody by being asked
// again is, if no byte of an answer was seen. Keeps itself alive by its pending operations. On the
// loop of the mesh.
class EntrySession : public std::enable_shared_from_this<EntrySession> {
 public:
  EntrySession(std::shared_ptr<MeshNode> node, RouteKey key, Tcp::socket client);
  ~EntrySession();

  void start() { seek(); }

 private:
  enum class State { seeking, relaying, parked, closing, closed };

  // ---- a task ----
  void seek();
  void wait_for_endpoint(TimePoint retry_at);
  void open(const Route& route);
  void on_open();
  void leave_task(Upstream::Leave how);
  void refuse();

  // ---- client to task ----
  void read_client();
  void on_client_bytes(std::string_view bytes);
  void on_client_end();
  void forward(std::string_view bytes);
  void after_forward();

  // ---- a request that may be asked again ----
  void keep(std::string_view bytes);
  bool repeat_elsewhere();

  // ---- task to client ----
  void read_task();
  void on_task_bytes(std::string_view bytes);
  void on_task_end();
  void on_task_broken();

  // ---- leaving a task, and the end ----
  void on_drain();
  bool move_if_possible();
  void park();
  void wait_for_client();
  void close_after_answer();
  void finish(Upstream::Leave how);
  bool can_move() const;

  const std::shared_ptr<MeshNode> node_;
  const RouteKey key_;
  TcpEnd client_;
  State state_ = State::seeking;
  HttpTracker tracker_;

  std::shared_ptr<Upstream> task_;
  model::TaskId task_id_;
  // Raised with every task, so that callbacks of the one before know that they are late.
  uint64_t generation_ = 0;
  bool is_draining_ = false;
  bool is_task_ended_ = false;
  bool is_task_broken_ = false;

  bool is_reading_client_ = false;
  bool is_client_ended_ = false;
  bool is_writing_client_ = false;
  bool is_writing_task_ = false;
  std::string unsent_;  // read, but for the next task
  std::string kept_;    // all of the request under way, if it is short and the only one
  bool is_kept_ = false;
  int repeats_ = 0;  // of it

  const MeshNode::HoldId hold_id_;
  std::optional<TimePoint> hold_until_;
  boost::asio::steady_timer timer_;
};

}  // namespace swarm::mesh
