#include "state/store.h"

#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "state/request_memory.h"
#include "state/tables.h"
#include "state/transaction.h"
#include "wire/change_set_codec.h"
#include "wire/snapshot_codec.h"

namespace swarm::state {
namespace {

// The stamped objects of a transaction as a change set again: what the entry holds.
ChangeSet outcome_of(const std::vector<Change>& changes, std::vector<ChangeSet::Key> removals,
                     uint64_t request) {
  ChangeSet outcome;
  outcome.request = request;
  outcome.puts.reserve(changes.size());
  for (const Change& change : changes) {
    if (!is_null(change.after)) {
      outcome.puts.push_back(change.after);
    }
  }
  outcome.removals = std::move(removals);
  return outcome;
}

// Objects of one kind as they were before some changes: both maps in order of ids, `before` holding
// null for what did not exist.
template <class Id, class Pointer>
void append_as_before(const std::map<Id, Pointer>& head, const std::map<Id, Pointer>& before,
                      std::vector<ChangeSet::Object>* out) {
  auto changed = before.begin();
  const auto append_changed = [&] {
    if (changed->second != nullptr) {
      out->push_back(changed->second);
    }
    ++changed;
  };
  for (const auto& [id, object] : head) {
    while (changed != before.end() && changed->first < id) {
      append_changed();
    }
    if (changed != before.end() && changed->first == id) {
      append_changed();
    } else {
      out->push_back(object);
    }
  }
  while (changed != before.end()) {
    append_changed();
  }
}

// What the not yet committed transactions replaced, as it was committed.
struct CommittedObjects {
  std::optional<ClusterPtr> cluster;
  std::map<model::NodeId, NodePtr> nodes;
  std::map<model::ServiceId, ServicePtr> services;
  std::map<RevisionKey, RevisionPtr> revisions;
  std::map<model::TaskId, TaskPtr> tasks;

  void note(const ClusterPtr& before, const ClusterPtr&) { cluster = before; }
  void note(const NodePtr& before, const NodePtr& after) {
    nodes[before != nullptr ? before->id : after->id] = before;
  }
  void note(const ServicePtr& before, const ServicePtr& after) {
    services[before != nullptr ? before->id : after->id] = before;
  }
  void note(const RevisionPtr& before, const RevisionPtr& after) {
    const model::Revision& revision = before != nullptr ? *before : *after;
    revisions[{revision.service, revision.number}] = before;
  }
  void note(const TaskPtr& before, const TaskPtr& after) {
    tasks[before != nullptr ? before->id : after->id] = before;
  }
};

}  // namespace

struct Store::Impl {
  // A transaction that is applied and proposed but not committed.
  struct Uncommitted {
    model::Position position = 0;
    size_t bytes = 0;
    std::vector<Change> changes;
  };

  size_t max_uncommitted_bytes = 0;
  Tables tables;
  model::Position committed = 0;
  Proposer* proposer = nullptr;
  std::deque<Uncommitted> uncommitted;  // oldest first
  size_t uncommitted_bytes = 0;
  RequestMemory requests;
  Observer observer;

  void notify(model::Position position, const std::vector<Change>& changes) const {
    if (observer) {
      observer(position, changes);
    }
  }

  Status check_size(size_t entry_bytes) const {
    if (entry_bytes > kMaxEntryBytes) {
      return absl::ResourceExhaustedError("the change takes " + std::to_string(entry_bytes) +
                                          " bytes, at most " + std::to_string(kMaxEntryBytes) +
                                          " fit one transaction: change less at a time");
    }
    if (uncommitted_bytes + entry_bytes > max_uncommitted_bytes) {
      return absl::ResourceExhaustedError(
          "the managers are behind with " + std::to_string(uncommitted_bytes) +
          " bytes of changes that are not stored yet: try again in a moment");
    }
    return absl::OkStatus();
  }

  // All committed objects in canonical order: by kind, then by id.
  std::vector<ChangeSet::Object> committed_objects() const {
    CommittedObjects before;
    for (auto it = uncommitted.rbegin(); it != uncommitted.rend(); ++it) {
      for (const Change& change : it->changes) {
        std::visit(
            [&](const auto& was) {
              before.note(was, std::get<std::decay_t<decltype(was)>>(change.after));
            },
            change.before);
      }
    }
    std::map<RevisionKey, RevisionPtr> revisions;
    for (const auto& [service, group] : tables.revisions) {
      for (const auto& [number, revision] : group) {
        revisions.emplace_hint(revisions.end(), RevisionKey{service, number}, revision);
      }
    }
    std::vector<ChangeSet::Object> objects;
    objects.reserve(tables.tasks.size() + tables.services.size() + tables.nodes.size() +
                    revisions.size() + 1);
    if (const ClusterPtr& cluster = before.cluster.value_or(tables.cluster)) {
      objects.emplace_back(cluster);
    }
    append_as_before(tables.nodes, before.nodes, &objects);
    append_as_before(tables.services, before.services, &objects);
    append_as_before(revisions, before.revisions, &objects);
    append_as_before(tables.tasks, before.tasks, &objects);
    return objects;
  }
};

Store::Store(size_t max_uncommitted_bytes) : impl_(std::make_unique<Impl>()) {
  impl_->max_uncommitted_bytes = max_uncommitted_bytes;
}

Store::~Store() = default;

View Store::view() const {
  return View(impl_->tables);
}
model::Position Store::head() const {
  return impl_->tables.position;
}
model::Position Store::committed() const {
  return impl_->committed;
}
Result<std::optional<model::Position>> Store::find_request(const model::RequestId& request) const {
  return impl_->requests.find(request);
}
void Store::set_observer(Observer observer) {
  impl_->observer = std::move(observer);
}

void Store::lead(Proposer& proposer) {
  SWARM_CHECK(impl_->proposer == nullptr, "leadership begins once, saw a second beginning");
  SWARM_CHECK(head() == committed(), "a new leader has applied its whole log, saw head " +
                                         std::to_string(head()) + " and committed " +
                                         std::to_string(committed()));
  impl_->proposer = &proposer;
}

Result<model::Position> Store::commit(ChangeSet changes, WallTime now) {
  if (impl_->proposer == nullptr) {
    return absl::FailedPreconditionError("this manager is not the leader");
  }
  if (changes.is_empty()) {
    return head();
  }
  const model::Position position = head() + 1;
  SWARM_ASSIGN_OR_RETURN(std::vector<Change> planned,
                         plan_transaction(impl_->tables, changes, position, now));
  std::string entry = wire::encode_change_set(
      position, outcome_of(planned, std::move(changes.removals), changes.request));
  SWARM_RETURN_IF_ERROR(impl_->check_size(entry.size()));

  impl_->tables.apply(planned, position);
  impl_->uncommitted_bytes += entry.size();
  impl_->uncommitted.push_back({position, entry.size(), planned});
  impl_->requests.note(changes.request, position);
  impl_->notify(position, planned);
  impl_->proposer->propose(position, std::move(entry));
  return position;
}

void Store::confirm(model::Position position) {
  SWARM_CHECK(position <= head(), "what is committed was proposed, saw position " +
                                      std::to_string(position) + " and head " +
                                      std::to_string(head()));
  while (!impl_->uncommitted.empty() && impl_->uncommitted.front().position <= position) {
    impl_->committed = impl_->uncommitted.front().position;
    impl_->uncommitted_bytes -= impl_->uncommitted.front().bytes;
    impl_->uncommitted.pop_front();
  }
}

void Store::abandon() {
  impl_->proposer = nullptr;
  while (!impl_->uncommitted.empty()) {
    const Impl::Uncommitted undone = std::move(impl_->uncommitted.back());
    impl_->uncommitted.pop_back();
    impl_->uncommitted_bytes -= undone.bytes;
    const std::vector<Change> inverse = reversed(undone.changes);
    impl_->tables.apply(inverse, undone.position - 1);
    impl_->notify(undone.position - 1, inverse);
  }
  impl_->requests.undo_after(impl_->committed);
}

Status Store::apply_committed(std::string_view entry) {
  SWARM_CHECK(impl_->proposer == nullptr, "a leader confirms its own entries, saw one to apply");
  SWARM_ASSIGN_OR_RETURN(wire::Entry decoded, wire::decode_change_set(entry));
  if (decoded.position != head() + 1) {
    return absl::DataLossError("change set " + std::to_string(decoded.position) +
                               " does not follow " + std::to_string(head()));
  }
  std::vector<Change> changes;
  changes.reserve(decoded.changes.puts.size() + decoded.changes.removals.size());
  for (ChangeSet::Object& object : decoded.changes.puts) {
    ChangeSet::Object before = impl_->tables.find(object);
    changes.push_back({std::move(before), std::move(object)});
  }
  for (const ChangeSet::Key& key : decoded.changes.removals) {
    ChangeSet::Object before = impl_->tables.find(key);
    if (is_null(before)) {
      return absl::DataLossError("change set " + std::to_string(decoded.position) +
                                 " removes an object that is not stored");
    }
    ChangeSet::Object none =
        std::visit([](auto pointer) { return ChangeSet::Object(decltype(pointer)()); }, before);
    changes.push_back({std::move(before), std::move(none)});
  }
  impl_->tables.apply(changes, decoded.position);
  impl_->committed = decoded.position;
  impl_->requests.note(decoded.changes.request, decoded.position);
  impl_->notify(decoded.position, changes);
  return absl::OkStatus();
}

std::function<std::string()> Store::snapshot() const {
  auto writer =
      std::make_shared<wire::SnapshotWriter>(impl_->committed, impl_->committed_objects());
  return [writer] { return writer->next_chunk(); };
}

Status Store::restore(const std::vector<std::string>& chunks) {
  SWARM_CHECK(impl_->proposer == nullptr && impl_->uncommitted.empty(),
              "only followers install snapshots, saw a leader do it");
  wire::SnapshotReader reader;
  for (const std::string& chunk : chunks) {
    SWARM_RETURN_IF_ERROR(reader.add(chunk));
  }
  SWARM_ASSIGN_OR_RETURN(wire::SnapshotReader::Contents contents, reader.finish());
  Tables restored;
  for (ChangeSet::Object& object : contents.objects) {
    ChangeSet::Object before = restored.find(object);
    restored.apply(Change{std::move(before), std::move(object)});
  }
  restored.position = contents.position;
  impl_->tables = std::move(restored);
  impl_->committed = contents.position;
  impl_->requests.restart(contents.position);
  return absl::OkStatus();
}

}  // namespace swarm::state
