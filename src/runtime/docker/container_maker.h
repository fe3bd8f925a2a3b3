#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "agent/executor.h"
#include "base/asio_loop.h"
#include "runtime/docker/engine_client.h"

namespace swarm::runtime {

// Makes the containers of tasks: a few at a time, the others wait in order, and an image that is
// missing is pulled once for all who need it. On the loop.
class ContainerMaker {
 public:
  using Done = absl::AnyInvocable<void(Result<std::string>)>;
  // Tells how many are before a task in the queue; 0: its turn has come. Told when it enters, and
  // again whenever half of them are gone, so that a long queue costs few messages.
  using QueueListener = absl::AnyInvocable<void(const model::TaskId&, size_t before)>;

  // `can_pull`: whether an image that the node does not have is asked of its registry.
  ContainerMaker(AsioLoop& loop, EngineClient& engine, bool can_pull);

  void set_queue_listener(QueueListener listener) { queue_listener_ = std::move(listener); }

  // `done` gets the id of the container. Errors as in Executor::prepare.
  void make(const agent::TaskLabels& labels, const model::TaskTemplate& spec, Done done);
  // One that waits for its turn ends with CANCELLED; any other goes on.
  void abandon(const model::TaskId& task);
  // Whether a call for it may be under way.
  bool is_making(const model::TaskId& task) const { return orders_.contains(task); }

 private:
  struct Order {
    model::TaskId task;
    std::string name;
    std::string image;
    std::string body;
    bool was_pulled = false;
    bool is_waiting = false;  // for its turn
    size_t told_before = 0;
    Done done;
  };
  using OrderPointer = std::shared_ptr<Order>;

  void enqueue(const OrderPointer& order);
  void run_next();
  void tell_places();
  void tell_place(Order& order, size_t before);
  void on_created(const OrderPointer& order, Result<std::string> id);
  // The name is taken: by the same task, when an earlier swarmd was killed after it had made it, or
  // when a call that was given up took effect.
  void take_existing(const OrderPointer& order, const Status& conflict);
  void pull_then_create(const OrderPointer& order);
  void pull(const std::string& image, absl::AnyInvocable<void(const Status&)> done);
  void finish(const OrderPointer& order, Result<std::string> result);

  AsioLoop& loop_;
  EngineClient& engine_;
  bool can_pull_;
  QueueListener queue_listener_;
  std::map<model::TaskId, OrderPointer> orders_;
  std::deque<OrderPointer> queue_;
  size_t running_ = 0;
  // By image: who waits for it.
  std::map<std::string, std::vector<absl::AnyInvocable<void(const Status&)>>> pulls_;
  Anchor anchor_;
};

}  // namespace swarm::runtime
