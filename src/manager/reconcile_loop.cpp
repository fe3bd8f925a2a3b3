#include "manager/reconcile_loop.h"

#include <algorithm>
#include <string>

#include "base/log.h"

namespace swarm::manager {

namespace {

// The store refuses writes while too much is uncommitted; by then the commit index has moved.
constexpr Duration kRetryDelay = milliseconds(20);

}  // namespace

ReconcileLoop::ReconcileLoop(EventLoop& loop, state::Store& store,
                             std::vector<std::unique_ptr<state::Reconciler>> reconcilers)
    : loop_(loop),
      store_(store),
      reconcilers_(std::move(reconcilers)),
      deadline_(loop),
      retry_(loop) {}

void ReconcileLoop::start() {
  for (const auto& reconciler : reconcilers_) {
    reconciler->load(store_.view(), loop_.wall_now());
  }
  schedule();
}

void ReconcileLoop::observe(const std::vector<state::Change>& changes) {
  const state::View view = store_.view();
  for (const auto& reconciler : reconcilers_) {
    reconciler->observe(view, changes);
  }
  schedule();
}

void ReconcileLoop::schedule() {
  if (is_scheduled_) {
    return;
  }
  is_scheduled_ = true;
  loop_.post(anchor_.bind([this] { run_round(); }));
}

void ReconcileLoop::run_round() {
  is_scheduled_ = false;
  const WallTime now = loop_.wall_now();
  bool has_more = false;
  for (const auto& reconciler : reconcilers_) {
    has_more = run_one(*reconciler, now) || has_more;
  }
  if (has_more) {
    schedule();
  } else {
    wait_for_deadline();
  }
}

bool ReconcileLoop::run_one(state::Reconciler& reconciler, WallTime now) {
  state::ChangeSet changes = reconciler.decide(store_.view(), now);
  if (changes.is_empty()) {
    return reconciler.has_more();
  }
  const Result<model::Position> committed = store_.commit(std::move(changes), now);
  if (committed.ok()) {
    return true;
  }
  if (committed.status().code() != absl::StatusCode::kResourceExhausted) {
    log::warning("decision refused by the store",
                 {{"reconciler", reconciler.name()}, {"error", committed.status().message()}});
  }
  // What it decided was not done: it must look at everything again.
  reconciler.load(store_.view(), now);
  retry_.set_after(kRetryDelay, [this] { schedule(); });
  return false;
}

void ReconcileLoop::wait_for_deadline() {
  std::optional<WallTime> next;
  for (const auto& reconciler : reconcilers_) {
    const std::optional<WallTime> deadline = reconciler->next_deadline(store_.view());
    if (deadline.has_value() && (!next.has_value() || *deadline < *next)) {
      next = deadline;
    }
  }
  if (!next.has_value()) {
    deadline_.cancel();
    return;
  }
  deadline_.set_at(*next, [this] { schedule(); });
}

}  // namespace swarm::manager
