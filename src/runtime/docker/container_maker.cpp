#include "runtime/docker/container_maker.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "runtime/docker/container_json.h"

namespace swarm::runtime {

namespace {

bool says_no_such_image(const Status& status) {
  const std::string text(status.message());
  return absl::IsNotFound(status) && (text.find("o such image") != std::string::npos ||
                                      text.find("image not known") != std::string::npos);
}

std::string missing_image(const std::string& image) {
  return "no such image: " + image + " on this node";
}

}  // namespace

ContainerMaker::ContainerMaker(AsioLoop& loop, EngineClient& engine, bool can_pull)
    : loop_(loop), engine_(engine), can_pull_(can_pull) {}

void ContainerMaker::make(const agent::TaskLabels& labels, const model::TaskTemplate& spec,
                          Done done) {
  auto body = create_body(labels, spec);
  if (!body.ok()) {
    done(body.status());
    return;
  }
  auto order = std::make_shared<Order>();
  order->task = labels.task;
  order->name = container_name(labels);
  order->image = spec.container.image;
  order->body = *std::move(body);
  order->done = std::move(done);
  orders_[labels.task] = order;
  enqueue(order);
}

void ContainerMaker::abandon(const model::TaskId& task) {
  const auto found = orders_.find(task);
  if (found == orders_.end() || !found->second->is_waiting) {
    return;
  }
  const OrderPointer order = found->second;
  std::erase(queue_, order);
  loop_.post(anchor_.bind([this, order] {
    finish(order, absl::CancelledError("its turn at the engine had not come"));
  }));
}

// ---- the queue ----

void ContainerMaker::enqueue(const OrderPointer& order) {
  order->is_waiting = true;
  queue_.push_back(order);
  if (running_ >= kMaxCreations) {
    tell_place(*order, queue_.size());
    return;
  }
  run_next();
}

void ContainerMaker::run_next() {
  while (running_ < kMaxCreations && !queue_.empty()) {
    const OrderPointer order = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    order->is_waiting = false;
    if (order->told_before > 0) {
      tell_place(*order, 0);
    }
    engine_.create(order->name, order->body, anchor_.bind([this, order](Result<std::string> id) {
      --running_;
      on_created(order, std::move(id));
      run_next();
      tell_places();
    }));
  }
}

void ContainerMaker::tell_places() {
  size_t before = 0;
  for (const OrderPointer& order : queue_) {
    if (++before * 2 <= order->told_before) {
      tell_place(*order, before);
    }
  }
}

void ContainerMaker::tell_place(Order& order, size_t before) {
  order.told_before = before;
  if (queue_listener_) {
    queue_listener_(order.task, before);
  }
}

// ---- one container ----

void ContainerMaker::on_created(const OrderPointer& order, Result<std::string> id) {
  if (absl::IsAlreadyExists(id.status())) {
    take_existing(order, id.status());
  } else if (says_no_such_image(id.status()) && !order->was_pulled) {
    pull_then_create(order);
  } else {
    finish(order, std::move(id));
  }
}

void ContainerMaker::take_existing(const OrderPointer& order, const Status& conflict) {
  engine_.inspect(order->name, anchor_.bind([this, order, why = std::string(conflict.message())](
                                                const Result<ContainerState>& state) {
    const bool is_ours = state.ok() && state->labels && state->labels->task == order->task &&
                         state->status == ContainerState::Status::created;
    if (is_ours) {
      finish(order, state->id);
    } else {
      finish(order, absl::FailedPreconditionError(why));
    }
  }));
}

void ContainerMaker::pull_then_create(const OrderPointer& order) {
  if (!can_pull_) {
    finish(order, absl::NotFoundError(missing_image(order->image)));
    return;
  }
  order->was_pulled = true;
  pull(order->image, [this, order](const Status& status) {
    if (status.ok()) {
      enqueue(order);
      return;
    }
    // An engine that went away meanwhile is asked again; a registry that refuses is not.
    const auto code =
        absl::IsUnavailable(status) ? absl::StatusCode::kUnavailable : absl::StatusCode::kNotFound;
    finish(order, Status(code, missing_image(order->image) + ", and it could not be pulled: " +
                                   std::string(status.message())));
  });
}

// Several tasks that need the same image wait for one pull.
void ContainerMaker::pull(const std::string& image, absl::AnyInvocable<void(const Status&)> done) {
  auto& waiting = pulls_[image];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) {
    return;
  }
  log::info("image pull started", {{"image", image}});
  engine_.pull(image, anchor_.bind([this, image](const Status& status) {
    log::info("image pull ended", {{"image", image}, {"status", status.ToString()}});
    auto finished = std::move(pulls_.extract(image).mapped());
    for (auto& one : finished) {
      one(status);
    }
  }));
}

void ContainerMaker::finish(const OrderPointer& order, Result<std::string> result) {
  orders_.erase(order->task);
  auto done = std::exchange(order->done, nullptr);
  done(std::move(result));
}

}  // namespace swarm::runtime
