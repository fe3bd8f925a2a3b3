#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/event_loop.h"
#include "model/agent_messages.h"

namespace swarm::agent {

// How long a status waits for others to go up with it.
inline constexpr Duration kReportDelay = milliseconds(20);
// Statuses in one message: keeps it far below what the transport takes.
inline constexpr size_t kMaxReports = 500;

// Keeps the latest status of every task and sends what is new, batched. A status is kept until a
// newer one replaces it, so that all can be sent again to the next manager. On the agent's loop.
class StatusReporter {
 public:
  // `send` is called only while connected.
  using Send = std::function<void(std::vector<model::TaskReport>)>;

  StatusReporter(EventLoop& loop, Send send);

  void report(const model::TaskId& task, const model::TaskStatus& status);
  // What was not sent yet is sent first.
  void forget(const model::TaskId& task);

  // A session has begun: everything is news to the manager.
  void connected();
  void disconnected();

 private:
  void flush();

  EventLoop& loop_;
  Send send_;
  bool is_connected_ = false;
  std::map<model::TaskId, model::TaskStatus> statuses_;
  std::set<model::TaskId> unsent_;
  Timer timer_;
};

}  // namespace swarm::agent
