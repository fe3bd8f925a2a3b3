#pragma once

#include <optional>

#include "base/time.h"
#include "state/change_set.h"
#include "state/store.h"
#include "state/view.h"

namespace swarm::state {

// A decider: brings what the store says nearer to what it should say. Implemented by orchestrators
// and the scheduler; driven by manager/reconcile_loop, the only place that waits. Deciders never
// call one another: they meet in the store.
//
// It starts from nothing with every leadership: load, then react. Whatever must outlive a leader
// change is in the store. An implementation may keep a set of what is dirty, never a truth of its
// own.
class Reconciler {
 public:
  virtual ~Reconciler() = default;

  // For the log and the metrics: "rollout", "scheduler".
  virtual const char* name() const = 0;

  // Everything in the view is news: leadership was just won.
  virtual void load(const View& view, WallTime now) = 0;

  // Notes what one transaction (also its own) made dirty. Cheap.
  virtual void observe(const View& view, const std::vector<Change>& changes) = 0;

  // What to do about what is dirty or due. Called after changes and when the deadline passes. Empty
  // when there is nothing to do. At most kMaxDecisions changes at a time; the rest stays dirty and
  // `has_more` says so.
  virtual ChangeSet decide(const View& view, WallTime now) = 0;
  virtual bool has_more() const = 0;

  // The earliest stored deadline it waits for.
  virtual std::optional<WallTime> next_deadline(const View& view) const = 0;
};

// Keeps a slice on the loop to a few milliseconds and an entry well under its bound.
inline constexpr size_t kMaxDecisions = 500;

}  // namespace swarm::state
